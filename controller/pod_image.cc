#include "controller/pod_image.h"

#include <algorithm>

#include "inject/workload_view.h"

namespace stash::controller {
namespace {

std::string sidecar_image(const Json& containers) {
  const auto found = std::ranges::find_if(containers, inject::is_sidecar);
  return found == containers.end() ? "" : string_at(*found, {"image"});
}

/// "stash:1@sha256:ab" of "registry.example:5000/mirror/stash:1@sha256:ab".
std::string_view without_path(std::string_view image) { return image.substr(image.rfind('/') + 1); }

std::string_view without_digest(std::string_view image) { return image.substr(0, image.find('@')); }

}  // namespace

bool has_image_of(const Json& pod, const Json& workload) {
  const std::string pods = sidecar_image(array_at(pod, {"spec", "containers"}));
  const std::string templates = sidecar_image(inject::containers_of(workload));
  const std::string_view image = without_path(pods), wanted = without_path(templates);
  return image == wanted || (!wanted.contains('@') && without_digest(image) == wanted);
}

}  // namespace stash::controller
