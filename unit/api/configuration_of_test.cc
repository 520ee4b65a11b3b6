#include <catch2/catch.hpp>

#include "unit/support/objects.h"

using namespace stash;
using namespace stash::api;
using stash::test::a_backup_session;

namespace {

BackupSession session(BackupSessionSpec spec, std::map<std::string, std::string> labels = {}) {
  BackupSession session;
  session.metadata.ns = "demo";
  session.metadata.name = "s";
  session.metadata.labels = std::move(labels);
  session.spec = std::move(spec);
  return session;
}

constexpr auto kOldLabel = "stash.appscode.com/backup-configuration";
constexpr auto kTypeLabel = "stash.appscode.com/invoker-type";
constexpr auto kNameLabel = "stash.appscode.com/invoker-name";

}  // namespace

TEST_CASE("a session names its BackupConfiguration in any of the ways of Stash's releases", "[api][session]") {
  CHECK(configuration_of(session({"app", "", ""})) == "app");
  CHECK(configuration_of(session({"", "BackupConfiguration", "app"})) == "app");
  CHECK(configuration_of(session({"", "", "app"})) == "app");
  CHECK(configuration_of(session({}, {{kOldLabel, "app"}})) == "app");
  CHECK(configuration_of(session({}, {{kTypeLabel, "BackupConfiguration"}, {kNameLabel, "app"}})) == "app");
  CHECK(configuration_of(session({"app", "BackupConfiguration", "app"}, {{kOldLabel, "app"}, {kNameLabel, "app"}})) ==
        "app");
}

TEST_CASE("a session without a BackupConfiguration belongs to none", "[api][session]") {
  CHECK(configuration_of(session({})) == "");
  CHECK(configuration_of(session({"", "BackupBatch", "batch"})) == "");
  CHECK(configuration_of(session({}, {{kTypeLabel, "BackupBatch"}, {kNameLabel, "batch"}})) == "");
}

TEST_CASE("a session whose names contradict one another is refused", "[api][session]") {
  const auto in_spec = configuration_of(session({"one", "BackupConfiguration", "two"}));
  REQUIRE_FALSE(in_spec);
  CHECK(in_spec.error() == Error{ErrorCode::invalid,
                                 "BackupSession demo/s: spec.invoker.name says \"two\" but "
                                 "spec.backupConfiguration.name says \"one\"; create a new "
                                 "BackupSession that names one BackupConfiguration"});
  CHECK_FALSE(configuration_of(session({"one", "", ""}, {{kOldLabel, "two"}})));
  CHECK_FALSE(configuration_of(session({}, {{kOldLabel, "one"}, {kNameLabel, "two"}})));
}

TEST_CASE("a name that is too long for a label is shortened there", "[api][session]") {
  const std::string name(200, 'a');
  const BackupSession long_named = a_backup_session("s", name);
  CHECK(long_named.metadata.labels.at(kOldLabel).size() == 63);
  CHECK(long_named.metadata.labels.at(kOldLabel) == configuration_label(name));
  CHECK(configuration_of(long_named) == name);
}

TEST_CASE("phases that never change again are final", "[api][session]") {
  for (const auto* phase : {"Succeeded", "Failed", "Skipped", "Unknown"}) CHECK(is_final_phase(phase));
  for (const auto* phase : {"", "Pending", "Running"}) CHECK_FALSE(is_final_phase(phase));
}
