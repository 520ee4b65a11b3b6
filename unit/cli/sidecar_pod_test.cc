#include <catch2/catch.hpp>

#include "cli/sidecar_call.h"

using namespace stash;
using namespace stash::cli;

namespace {

Json pod(const std::string& name, Json args, bool running = true, bool ready = true) {
  Json made = {{"metadata",
                {{"name", name},
                 {"namespace", "demo"},
                 {"ownerReferences", {{{"kind", "ReplicaSet"}, {"name", "web-1"}, {"controller", true}}}}}},
               {"spec", {{"containers", {{{"name", "app"}}, {{"name", "stash"}, {"args", std::move(args)}}}}}}};
  made["status"]["containerStatuses"] = Json::array({{{"name", "stash"}, {"state", Json::object()}}});
  if (running) made["status"]["containerStatuses"][0]["state"]["running"] = {{"startedAt", "now"}};
  made["status"]["conditions"] = Json::array({{{"type", "Ready"}, {"status", ready ? "True" : "False"}}});
  return made;
}

const Json kArgs = {"run-backup",           "--backup-configuration=web-backup",
                    "--metrics-enabled",    "--local-mount=repo=/safe/data",
                    "--enable-cache=false", "--pushgateway-url=http://x"};

}  // namespace

TEST_CASE("a running sidecar of that backup is asked, a ready one before others", "[cli][sidecar]") {
  const Json pods = Json::array({pod("other", {"run-backup", "--backup-configuration=other"}),
                                 pod("dead", kArgs, false), pod("unready", kArgs, true, false), pod("good", kArgs)});
  CHECK(pod_with_sidecar(pods, {"web-backup"}) == &pods[3]);
  CHECK(pod_with_sidecar(Json::array({pods[0], pods[1]}), {"web-backup"}) == nullptr);
}

TEST_CASE("a pod that is going is not asked", "[cli][sidecar]") {
  Json going = pod("going", kArgs);
  going["metadata"]["deletionTimestamp"] = "2026-11-23T12:00:00Z";
  CHECK(pod_with_sidecar(Json::array({going}), {"web-backup"}) == nullptr);
}

TEST_CASE("restic is run with the sidecar's own places", "[cli][sidecar]") {
  CHECK(exec_arguments(pod("good", kArgs), "dump", "repo", {"--snapshot=aa"}) ==
        std::vector<std::string>{"exec", "good", "-n", "demo", "-c", "stash", "--", "/usr/bin/stash", "dump",
                                 "--repository=repo", "--target-kind=ReplicaSet", "--snapshot=aa",
                                 "--local-mount=repo=/safe/data", "--enable-cache=false"});
}
