#include "cli/preview_settings.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "cli/manifest.h"
#include "cli/options.h"

using namespace stash;
using namespace stash::cli;

namespace {

Json values_of_chart() {
  std::ifstream file(STASH_SOURCE_DIR "/charts/stash/values.yaml");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto values = read_manifests("kind: Values\n" + text);
  REQUIRE(values);
  return values->front();
}

}  // namespace

TEST_CASE("the defaults of the preview are those of the chart", "[cli][preview]") {
  const Json values = values_of_chart();
  const std::string image = Options().image;
  const auto settings = chart_defaults(image);
  REQUIRE(settings);
  CHECK(image == string_at(values, {"image", "repository"}) + ":" + string_at(values, {"image", "tag"}));
  CHECK(settings->image == image);
  CHECK(settings->image_pull_secrets.size() == array_at(values, {"imagePullSecrets"}).size());
  CHECK((settings->opt_in ? "opt-in" : "opt-out") == string_at(values, {"injection", "mode"}));
  CHECK((settings->upgrade_at_once ? "at-once" : "next-rollout") == string_at(values, {"sidecar", "upgrade"}));
  CHECK(settings->resources.requests == object_at(values, {"sidecar", "resources", "requests"}));
  CHECK(settings->resources.limits == object_at(values, {"sidecar", "resources", "limits"}));
  CHECK(settings->resources.guaranteed == object_at(values, {"sidecar", "resources", "guaranteed"}));
  CHECK(settings->exec_hooks == bool_at(values, {"hooks", "exec"}));
  CHECK(!settings->pushgateway_url.empty() == bool_at(values, {"pushgateway", "enabled"}));
  CHECK(string_at(values, {"pushgateway", "url"}).empty());
  // On purpose not the chart's none: a preview shows more of use when directories of nodes are let pass.
  CHECK(settings->allowed_host_paths == std::vector<std::string>{"/"});
}
