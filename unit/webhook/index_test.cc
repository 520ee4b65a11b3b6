#include "webhook/index.h"

#include <catch2/catch.hpp>

#include "api/codec.h"
#include "unit/support/objects.h"

using namespace stash;
using namespace stash::test;
using namespace stash::webhook;

namespace {

const WorkloadKey kKey{"demo", "apps", "Deployment", "stash-demo"};
const Json kNamespace = {{"metadata", {{"name", "demo"}, {"labels", {{"team", "a"}}}}}};

void fill(Index& index) {
  const Json configuration = a_backup_configuration().json();
  const Json restore = a_restore_session().json();
  const Json repository = a_repository().json();
  index.change(api::kNamespaces, {"", "demo"}, &kNamespace);
  index.change(api::kBackupConfigurations, {"demo", "app-backup"}, &configuration);
  index.change(api::kRestoreSessions, {"demo", "app-restore"}, &restore);
  index.change(api::kRepositories, {"demo", "repo"}, &repository);
}

}  // namespace

TEST_CASE("nothing is said before the index is complete", "[webhook][index]") {
  Index index;
  fill(index);
  CHECK_FALSE(index.gather(kKey));
  index.set_complete();
  CHECK(index.gather(kKey));
}

TEST_CASE("a workload's world holds what names it, and no more", "[webhook][index]") {
  Index index;
  index.set_complete();
  fill(index);
  const Json other = a_backup_configuration().name("other").with([](auto& c) { c.spec.target->ref.name = "x"; }).json();
  index.change(api::kBackupConfigurations, {"demo", "other"}, &other);

  const auto world = index.gather(kKey);
  REQUIRE(world);
  REQUIRE(world->configurations.size() == 1);
  CHECK(world->configurations[0]->metadata.name == "app-backup");
  CHECK(world->restores.size() == 1);
  CHECK(world->namespace_labels == Json{{"team", "a"}});
  CHECK(world->repository("repo"));
  CHECK_FALSE(world->repository("nowhere"));
  CHECK(index.gather({"elsewhere", "apps", "Deployment", "stash-demo"})->configurations.empty());
}

TEST_CASE("a BackupConfiguration comes out of the index as it went in, but for conditions and kubectl's copy",
          "[webhook][index]") {
  Index index;
  index.set_complete();
  fill(index);
  Json object = a_backup_configuration().json();
  object["metadata"]["annotations"] = {{"team", "a"}};
  object["metadata"]["generation"] = 3;
  object["spec"]["hooks"] = {{"preBackup", {{"exec", {{"command", {"sync"}}}}, {"containerName", "db"}}}};
  object["status"] = {{"phase", "Ready"}, {"withdrawal", {{"phase", "Withdrawn"}, {"reason", "PodsRefused"}}}};
  const auto expected = api::decode<api::BackupConfiguration>(object);
  REQUIRE(expected);
  Json told = object;
  told["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = object.dump();
  told["status"]["conditions"] = Json::array({{{"type", "Ready"}, {"status", "True"}, {"reason", "AllIsWell"}}});
  index.change(api::kBackupConfigurations, {"demo", "app-backup"}, &told);

  const auto world = index.gather(kKey);
  REQUIRE(world->configurations.size() == 1);
  CHECK(*world->configurations[0] == *expected);
  CHECK(expected->status.withdrawal);
  CHECK(expected->spec.pre_backup);
}

TEST_CASE("deleted objects leave the index", "[webhook][index]") {
  Index index;
  index.set_complete();
  fill(index);
  index.change(api::kBackupConfigurations, {"demo", "app-backup"}, nullptr);
  index.change(api::kRestoreSessions, {"demo", "app-restore"}, nullptr);
  index.change(api::kRepositories, {"demo", "repo"}, nullptr);
  index.change(api::kRepositories, {"unknown", "repo"}, nullptr);
  const auto world = index.gather(kKey);
  CHECK(world->configurations.empty());
  CHECK(world->restores.empty());
  CHECK_FALSE(index.repository("demo", "repo"));
  index.change(api::kNamespaces, {"", "demo"}, nullptr);
  CHECK_FALSE(index.namespace_labels("demo"));
}

TEST_CASE("an object that stops decoding counts as absent", "[webhook][index]") {
  Index index;
  index.set_complete();
  fill(index);
  Json broken = a_repository().json();
  broken["spec"] = "text";
  index.change(api::kRepositories, {"demo", "repo"}, &broken);
  CHECK_FALSE(index.repository("demo", "repo"));
}

TEST_CASE("a namespace that is not known yet makes an answer unsure only when something names the workload",
          "[webhook][index]") {
  Index index;
  index.set_complete();
  CHECK(index.gather(kKey));
  const Json configuration = a_backup_configuration().json();
  index.change(api::kBackupConfigurations, {"demo", "app-backup"}, &configuration);
  CHECK_FALSE(index.gather(kKey));
  index.change(api::kNamespaces, {"", "demo"}, &kNamespace);
  CHECK(index.gather(kKey));
}
