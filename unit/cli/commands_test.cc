#include "cli/commands.h"

#include <catch2/catch.hpp>

#include "unit/cli/captured.h"
#include "unit/support/fake_kubectl.h"
#include "unit/support/objects.h"
#include "unit/support/workloads.h"

using namespace stash;
using namespace stash::cli;
using namespace stash::test;

namespace {

Json list_of(Json items) { return {{"kind", "List"}, {"items", std::move(items)}}; }

/// A sidecar that answers with three snapshots, in a pod of the only BackupConfiguration.
class WithASidecar : public FakeKubectl {
 public:
  WithASidecar();
};
WithASidecar::WithASidecar()
    : FakeKubectl(R"(cd "$HERE"
case "$*" in
*"get repositories"*) echo '{}';;
*"get backupconfigurations"*) cat configurations;;
*"get pods"*) cat pods;;
*exec*snapshots*) cat snapshots;;
*) echo "unexpected: $*" >&2; exit 1;;
esac)") {
  put("configurations", list_of(Json::array({a_backup_configuration().json()})));
  Json pod = {
      {"metadata", {{"name", "app-0"}, {"namespace", "demo"}}},
      {"spec", {{"containers", {{{"name", "stash"}, {"args", {"run-backup", "--backup-configuration=app-backup"}}}}}}},
      {"status", {{"containerStatuses", {{{"name", "stash"}, {"state", {{"running", Json::object()}}}}}}}}};
  put("pods", list_of(Json::array({pod})));
  Json snapshots = Json::array();
  for (const char* id : {"4f1e7c66", "4f1e0000", "aa000000"}) {
    snapshots.push_back({{"id", std::string(id) + "00"},
                         {"short_id", id},
                         {"time", "2026-11-23T12:00:00Z"},
                         {"hostname", "host-0"},
                         {"paths", {"/source/data"}}});
  }
  put("snapshots", snapshots);
}

std::string download_error(const std::string& id) {
  const WithASidecar fake;
  Kubectl kubectl = fake.kubectl("demo");
  Options options;
  options.names = {"repo"};
  options.snapshots = {id};
  const auto code = download(kubectl, options);
  REQUIRE_FALSE(code);
  return code.error().message;
}

}  // namespace

TEST_CASE("a snapshot to be downloaded is named by enough digits of one that is there", "[cli][download]") {
  CHECK(download_error("aa0").starts_with("--snapshot aa0 is no snapshot id: at least 4 of the digits"));
  CHECK(download_error("4f1e") == "--snapshot 4f1e could be 4f1e0000 or 4f1e7c66: give more digits");
  CHECK(download_error("bb00") ==
        "Repository demo/repo has no snapshot bb00; kubectl stash snapshots repo -n demo lists all");
}

TEST_CASE("a name that is not there keeps no other backup from being paused", "[cli][pause]") {
  const FakeKubectl fake(R"(case "$*" in
*"-- missing") echo 'Error from server (NotFound): x "missing" not found' >&2; exit 1;;
*) echo '{}';;
esac)");
  Kubectl kubectl = fake.kubectl("demo");
  Options options;
  options.names = {"a", "missing", "c"};
  const Captured captured;
  const auto code = set_paused(kubectl, options, true);
  CHECK(code.value_or(-1) == kFailed);
  CHECK(captured.output() == "BackupConfiguration demo/a paused\nBackupConfiguration demo/c paused\n");
  CHECK(captured.error().starts_with("error: there is no BackupConfiguration missing in namespace demo; see: "));
}

TEST_CASE("what was paused is printed as kubectl prints it when -o asks for it", "[cli][pause]") {
  const FakeKubectl fake(R"(case "$*" in
*"-- missing") echo 'Error from server (NotFound): x "missing" not found' >&2; exit 1;;
*) echo '{"kind": "BackupConfiguration", "spec": {"paused": true}}';;
esac)");
  const auto printed = [&](std::vector<std::string> names) {
    Kubectl kubectl = fake.kubectl("demo");
    Options options;
    options.names = std::move(names);
    options.output = "json";
    const Captured captured;
    CHECK(set_paused(kubectl, options, true));
    return captured.output();
  };
  const Json paused = {{"kind", "BackupConfiguration"}, {"spec", {{"paused", true}}}};
  CHECK(parse_json(printed({"a"})).value_or(nullptr) == paused);
  CHECK(parse_json(printed({"a", "missing", "c"})).value_or(nullptr) ==
        Json{{"apiVersion", "v1"}, {"kind", "List"}, {"items", {paused, paused}}});
  CHECK(printed({"missing"}).empty());
}

TEST_CASE("a cluster that does not answer is asked once for all that are to be paused", "[cli][pause]") {
  const FakeKubectl fake("echo 'Unable to connect to the server: dial tcp: i/o timeout' >&2; exit 1");
  Kubectl kubectl = fake.kubectl("demo");
  Options options;
  options.names = {"a", "b"};
  CHECK(set_paused(kubectl, options, true).error().code == ErrorCode::unreachable);
  CHECK(std::ranges::count(fake.calls(), '\n') == 1);
}

TEST_CASE("who may read one namespace only gets a preview with what is assumed", "[cli][preview]") {
  const FakeKubectl fake(R"(cd "$HERE"
case "$*" in
*"get deployments.apps -o json -A"*|*"get namespaces"*) echo "Error from server (Forbidden): not for you" >&2; exit 1;;
*"get deployments.apps"*) cat workload;;
*"get backupconfigurations"*) cat configurations;;
*"get repositories"*) cat repositories;;
*) echo '{"items": []}';;
esac)");
  fake.put("workload", a_workload().json());
  fake.put("configurations", list_of(Json::array({a_backup_configuration().json()})));
  fake.put("repositories", list_of(Json::array({a_repository().json()})));
  Kubectl kubectl = fake.kubectl("demo");
  Options options;
  options.names = {"deployment/stash-demo"};
  options.output = "json";
  const Captured captured;
  CHECK(show_preview(kubectl, options).value_or(-1) == kSucceeded);
  const Json report = parse_json(captured.output()).value_or(Json::array({Json::object()}));
  CHECK(bool_at(report[0], {"sidecar"}));
  CHECK(captured.error() ==
        "the webhook's settings cannot be read (not for you): the chart's defaults are assumed\n"
        "Namespace demo cannot be read (not for you): it is assumed to ask for injection\n");
}

namespace {

/// A StatefulSet of two whose repository nobody can ask; host-1 has a snapshot that its only session remembers.
class WithAStatefulSet : public FakeKubectl {
 public:
  explicit WithAStatefulSet(int replicas)
      : FakeKubectl(R"(cd "$HERE"
case "$*" in
*"get backupconfigurations"*"-- app-backup") cat configuration;;
*"get statefulsets.apps"*"-- web") cat workload;;
*"get backupsessions"*) cat sessions;;
*create*) cat;;
*) echo '{"items": []}';;
esac)") {
    put("configuration", a_backup_configuration().target({"apps/v1", "StatefulSet", "web"}).json());
    put("workload", {{"spec", {{"replicas", replicas}}}});
    Json session = a_backup_session().json();
    session["status"]["stats"] = Json::array({{{"hostname", "host-0"}, {"phase", "Failed"}},
                                              {{"hostname", "host-1"},
                                               {"phase", "Succeeded"},
                                               {"snapshots", {{{"name", "bb000000"}, {"path", "/source/data"}}}}}});
    put("sessions", list_of(Json::array({session})));
  }
};

Options a_restore(const std::string& snapshot) {
  Options options;
  options.names = {"app-backup"};
  options.snapshots = {snapshot};
  options.wait = false;
  return options;
}

}  // namespace

TEST_CASE("a restore that would be Invalid is refused before it is created", "[cli][restore]") {
  for (const int replicas : {2, 0}) {
    CAPTURE(replicas);
    const WithAStatefulSet fake(replicas);
    Kubectl kubectl = fake.kubectl("demo");
    const Captured captured;
    const auto code = restore(kubectl, a_restore("bb000000"));
    REQUIRE_FALSE(code);
    CHECK(
        code.error().message.starts_with("a restore is for every host of StatefulSet web, and no --snapshot is of "
                                         "host-0: name one of each"));
    CHECK_FALSE(fake.calls().contains("create"));
  }
}

TEST_CASE("the others get their latest when a person says so", "[cli][restore]") {
  const WithAStatefulSet fake(2);
  Kubectl kubectl = fake.kubectl("demo");
  Options options = a_restore("bb000000");
  options.others_latest = true;
  options.output = "json";
  const Captured captured;
  REQUIRE(restore(kubectl, options).value_or(-1) == kSucceeded);
  const Json made = parse_json(captured.output()).value_or(Json());
  CHECK(made["spec"]["rules"] ==
        Json::array({{{"targetHosts", {"host-1"}}, {"snapshots", {"bb000000"}}}, {{"paths", {"/source/data"}}}}));
}
