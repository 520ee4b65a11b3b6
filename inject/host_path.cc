#include "inject/host_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace stash::inject {
namespace {

/// Without empty ones and "."; nullopt when the path is relative or goes up.
std::optional<std::vector<std::string_view>> components(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  std::vector<std::string_view> found;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (part == "..") return std::nullopt;
    if (!part.empty() && part != ".") found.push_back(part);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return found;
}

}  // namespace

bool is_comparable(std::string_view path) { return components(path).has_value(); }

bool is_allowed_host_path(std::string_view path, const std::vector<std::string>& allowed) {
  const auto asked = components(path);
  if (!asked) return false;
  return std::ranges::any_of(allowed, [&](const std::string& one) {
    const auto prefix = components(one);
    return prefix && prefix->size() <= asked->size() && std::equal(prefix->begin(), prefix->end(), asked->begin());
  });
}

std::string host_path_objection(const Json& local, const std::vector<std::string>& allowed) {
  const Json* host_path = at(local, {"hostPath"});
  if (host_path == nullptr || host_path->is_null()) return "";
  const std::string path = string_at(*host_path, {"path"});
  if (is_allowed_host_path(path, allowed)) return "";
  return fmt::format(
      "spec.backend.local.hostPath {} is at or below no path of the node that the administrator allows; let him add it "
      "to the chart value hostPath.allowed, or use another volume, such as a persistentVolumeClaim",
      path);
}

}  // namespace stash::inject
