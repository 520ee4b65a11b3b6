#include "inject/host_path.h"

#include <catch2/catch.hpp>

#include "unit/inject/scene.h"

namespace stash::test {
namespace {

using inject::host_path_objection;
using inject::is_allowed_host_path;
using Paths = std::vector<std::string>;

TEST_CASE("no path of a node is allowed unless the administrator names it", "[inject][host_path][F69][I16]") {
  for (const char* path : {"/", "/etc", "/data", "/var/lib/stash"}) CHECK_FALSE(is_allowed_host_path(path, {}));
}

TEST_CASE("an allowed path allows itself and what is below, by whole components", "[inject][host_path][F69][I16]") {
  const Paths allowed = {"/srv/backups", "/data/"};
  for (const char* path : {"/srv/backups", "/srv/backups/", "//srv/./backups", "/srv/backups/demo/web", "/data",
                           "/data/..hidden", "/data/a.."}) {
    CHECK(is_allowed_host_path(path, allowed));
  }
  for (const char* path : {"/", "/srv", "/srv/backup", "/srv/backupsx", "/srv/backups2/x", "/database", "/etc/data"}) {
    CHECK_FALSE(is_allowed_host_path(path, allowed));
  }
}

TEST_CASE("a path that goes up, or is relative, is never allowed", "[inject][host_path][F69][I16]") {
  for (const char* path : {"", ".", "data", "data/x", "../data", "/data/..", "/data/../etc", "/data/./../etc", "/.."}) {
    CHECK_FALSE(is_allowed_host_path(path, {"/"}));
    CHECK_FALSE(is_allowed_host_path(path, {"/data"}));
  }
}

TEST_CASE("the root allows every path, and a wrong entry none", "[inject][host_path]") {
  CHECK(is_allowed_host_path("/etc", {"/"}));
  for (const char* wrong : {"", "data", "/data/..", "/srv/../data"})
    CHECK_FALSE(is_allowed_host_path("/data", {wrong}));
}

TEST_CASE("only a hostPath is looked at, and its refusal names the chart value", "[inject][host_path]") {
  const Json host_path = {{"mountPath", "/safe/data"}, {"hostPath", {{"path", "/etc"}}}};
  CHECK(host_path_objection(host_path, {"/data"}) ==
        "spec.backend.local.hostPath /etc is at or below no path of the node that the administrator allows; let him "
        "add it to the chart value hostPath.allowed, or use another volume, such as a persistentVolumeClaim");
  CHECK(host_path_objection(host_path, {"/etc"}).empty());
  CHECK(host_path_objection({{"persistentVolumeClaim", {{"claimName", "backups"}}}}, {}).empty());
  CHECK(host_path_objection({{"hostPath", nullptr}}, {}).empty());
  CHECK_FALSE(host_path_objection({{"hostPath", Json::object()}}, {"/"}).empty());
}

TEST_CASE("a Repository from before the administrator's list is not injected, and its container stays",
          "[inject][host_path][decision]") {
  const Json author = a_workload();
  auto scene = Scene().backup(a_backup_configuration()).restore(a_restore_session());
  const Json injected = scene.injected(author);
  scene.with_settings([](inject::Settings& settings) { settings.allowed_host_paths = {"/elsewhere"}; });
  const auto refused = scene.inject(author);
  CHECK(refused.patch.empty());
  CHECK(codes_of(refused.findings) == Paths{"HostPathNotAllowed", "HostPathNotAllowed"});
  CHECK(refused.findings[0].message ==
        "Repository demo/repo: " + host_path_objection({{"hostPath", {{"path", "/data/repo"}}}}, {}));
  CHECK(scene.injected(injected) == injected);
}

}  // namespace
}  // namespace stash::test
