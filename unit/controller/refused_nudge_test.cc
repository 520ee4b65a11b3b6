#include "controller/refused_nudge.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <functional>

#include "controller/nudge_book.h"
#include "controller/withdrawal.h"
#include "inject/restore_place.h"
#include "inject/withdrawal.h"
#include "inject/workload_view.h"
#include "support/fake_clock.h"
#include "unit/controller/worlds.h"
#include "unit/inject/scene.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;
using Names = std::vector<std::string>;

constexpr const char* kSentence = "denied by policy";
constexpr const char* kKey = "Deployment demo/stash-demo";

Json with_version(Json workload) {
  workload["metadata"]["uid"] = "uid-web";
  workload["metadata"]["resourceVersion"] = "41";
  return workload;
}

/// A workload in a cluster whose policy refuses some of its states, with webhook and controller.
struct Policed {
  FakeClock clock;
  NudgeBook book{clock};
  inject::Settings settings = some_settings();
  Json workload = with_version(a_workload());
  std::vector<api::BackupConfiguration> configurations;
  std::vector<api::RestoreSession> restores;
  std::function<bool(const Json& workload)> refuses = [](const Json&) { return false; };
  int nudges = 0;

  inject::World world(const Json& of, bool nudge) const {
    inject::World world;
    world.group = "apps";
    world.kind = "Deployment";
    world.workload = &of;
    world.ns = "demo";
    world.namespace_labels = {{"stash.appscode.com/injection", "enabled"}};
    world.configurations.assign(configurations.begin(), configurations.end());
    world.restores = restores;
    world.repository = [](const std::string&) { return a_repository().shared(); };
    world.nudge = nudge;
    return world;
  }
  Json as_admitted(const Json& object, bool nudge) const {
    return object.patch(document(inject::inject(world(object, nudge), settings, &workload).patch));
  }
  WorkloadPlan plan() const {
    WorkloadWorld found;
    found.kind = api::workload_kind("apps", "Deployment");
    found.inject = world(workload, true);
    found.nudges = book.look(kKey);
    return plan_workload(found, settings);
  }
  void look_at_workload() {
    const WorkloadPlan plan = this->plan();
    if (plan.injection.up_to_date) book.at_rest(kKey);
    if (!plan.nudges) return;
    ++nudges;
    const Json wanted = as_admitted(workload, true);
    if (!refuses(wanted)) {
      workload = wanted;
      return book.nudged(kKey, plan.change, "");
    }
    Names blamed;
    if (!refuses(workload)) blamed = to_be_blamed(world(workload, true), settings);
    book.nudged(kKey, plan.change, kSentence, blamed);
  }
  void look_at_statuses() {
    const WorkloadPlan plan = this->plan();
    const std::string now_used = inject::fingerprint(settings);
    for (api::BackupConfiguration& each : configurations) {
      const Json* sidecar = inject::sidecar_of(workload);
      const auto served = sidecar == nullptr ? Names() : inject::invokers_of(*sidecar);
      const bool in = std::ranges::find(served, each.metadata.name) != served.end();
      each.status.withdrawal = plan_withdrawal(
          {.configuration = each,
           .repository_generation = 1,
           .workload = kKey,
           .rollout = {.injected = in, .settings = now_used},
           .refused = refused_for(plan.injection, "BackupConfiguration demo/" + each.metadata.name, clock.now()),
           .up_to_date = plan.injection.up_to_date,
           .now = clock.now()});
    }
    for (api::RestoreSession& each : restores) {
      RestoreWorld restore = a_restore_world();
      restore.session = api::encode(each);
      restore.session["metadata"]["generation"] = 1;
      restore.session["metadata"]["resourceVersion"] = "1";
      restore.session["status"] = api::encode_status(each.status);
      restore.target.injection = plan.injection;
      restore.injected = inject::is_injected(workload, each) ? each.metadata.name : "";
      restore.settings = now_used;
      restore.now = clock.now();
      restore.target.findings = plan.findings;
      carry_out(plan_restore(restore), api::kRestoreSessions, restore.session);
      each.status = api::decode<api::RestoreSession>(restore.session).value().status;
    }
  }
  /// Both look, again and again.
  Policed& run(seconds time, seconds step = seconds(1)) {
    for (seconds passed{0}; passed <= time; passed += step) {
      look_at_workload();
      look_at_statuses();
      clock.advance(step);
    }
    return *this;
  }
  /// A configuration that is served asks for a change of its sidecar that the policy dislikes. Returns the workload as
  /// it was.
  Json ask_for_a_refused_change() {
    configurations = {a_backup_configuration()};
    run(seconds(10));
    REQUIRE(served() == Names{"app-backup"});
    refuses = [](const Json& asked) { return asked.dump().contains("FORBIDDEN"); };
    configurations[0].spec.runtime_settings.container = {{"env", {{{"name", "FORBIDDEN"}, {"value", "1"}}}}};
    configurations[0].metadata.generation = 2;
    return workload;
  }
  bool author_may_write() const {
    Json changed = workload;
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "app:2";
    return !refuses(as_admitted(changed, false));
  }
  Names held() const {
    Names found;
    for (const auto& each : configurations) {
      if (each.status.withdrawal) found.push_back(each.metadata.name);
    }
    for (const auto& each : restores) {
      if (each.status.withdrawal) found.push_back(each.metadata.name);
    }
    return found;
  }
  Names served() const {
    const Json* sidecar = inject::sidecar_of(workload);
    return sidecar == nullptr ? Names() : inject::invokers_of(*sidecar);
  }
};

bool has_ours(const Json& workload) { return inject::has_sidecar(workload) || inject::has_init_container(workload); }

}  // namespace

TEST_CASE(
    "a policy that dislikes the sidecar costs the author no write, and is asked ever more seldom until it is mended",
    "[controller][refused][F66][I1][I8][I20]") {
  Policed cluster;
  cluster.configurations = {a_backup_configuration()};
  cluster.refuses = has_ours;
  CHECK_FALSE(cluster.author_may_write());  // until the first nudge
  cluster.run(seconds(1));
  for (int i = 0; i < 8 * 60; ++i) {
    CHECK(cluster.author_may_write());
    cluster.run(seconds(45), seconds(15));
  }
  CHECK(cluster.nudges < 18);
  CHECK(cluster.nudges > 10);
  CHECK(cluster.held() == Names{"app-backup"});
  cluster.refuses = [](const Json&) { return false; };
  cluster.run(hours(1) + minutes(1), seconds(15));
  CHECK(cluster.held().empty());
  CHECK(cluster.served() == Names{"app-backup"});
  const int nudges = cluster.nudges;
  cluster.run(minutes(10));
  CHECK(cluster.nudges == nudges);
}

TEST_CASE("a workload that is refused without the sidecar too is no reason to hold anything back",
          "[controller][refused][F66][I8]") {
  Policed cluster;
  cluster.configurations = {a_backup_configuration()};
  cluster.refuses = [](const Json&) { return true; };
  cluster.run(minutes(20));
  CHECK(cluster.held().empty());
  CHECK(cluster.plan().injection.error == kSentence);
  cluster.refuses = [](const Json&) { return false; };
  cluster.run(minutes(5));
  CHECK(cluster.served() == Names{"app-backup"});
}

TEST_CASE("of two configurations only the one is held back without which the workload is taken",
          "[controller][refused][F66][I1]") {
  Policed cluster;
  cluster.configurations = {a_backup_configuration("older"),
                            a_backup_configuration("newer")
                                .created(kCreated + minutes(1))
                                .mounts({{"source-data", "/source/data", ""}, {"source-data", "/forbidden", ""}})};
  cluster.refuses = [](const Json& workload) { return workload.dump().contains("/forbidden"); };
  SECTION("both are new") {}
  SECTION("one is in the pods") {
    const api::BackupConfiguration newer = cluster.configurations[1];
    cluster.configurations.pop_back();
    cluster.run(seconds(10));
    REQUIRE(cluster.served() == Names{"older"});
    cluster.configurations.push_back(newer);
  }
  cluster.run(seconds(15));
  CHECK(cluster.held() == Names{"newer"});
  CHECK(cluster.served() == Names{"older"});
  CHECK(cluster.author_may_write());
}

TEST_CASE("when the policy dislikes any sidecar all configurations are held back, one after the other",
          "[controller][refused][F66][I1]") {
  Policed cluster;
  cluster.configurations = {a_backup_configuration("a"), a_backup_configuration("b")};
  cluster.refuses = has_ours;
  cluster.run(seconds(15));
  CHECK(cluster.held() == Names{"a", "b"});
  CHECK(cluster.author_may_write());
}

TEST_CASE("a change of a sidecar that is refused leaves the sidecar as it was, and correcting it helps at once",
          "[controller][refused][F66][I1][I4]") {
  Policed cluster;
  const Json before = cluster.ask_for_a_refused_change();
  cluster.run(minutes(30));
  CHECK(cluster.workload == before);
  CHECK(cluster.held() == Names{"app-backup"});
  CHECK(cluster.author_may_write());
  cluster.configurations[0].spec.runtime_settings.container = Json::object();
  cluster.configurations[0].metadata.generation = 3;
  cluster.run(seconds(5));
  CHECK(cluster.held().empty());
  CHECK(cluster.author_may_write());
}

TEST_CASE("another BackupConfiguration takes no sidecar from one whose change is refused, and says for whom it waits",
          "[controller][refused][F66][I1][I4]") {
  Policed cluster;
  const Json before = cluster.ask_for_a_refused_change();
  cluster.run(minutes(1));
  REQUIRE(cluster.held() == Names{"app-backup"});
  cluster.configurations.push_back(a_backup_configuration("another"));
  cluster.run(minutes(1));
  CHECK(cluster.workload == before);
  CHECK(cluster.served() == Names{"app-backup"});
  cluster.configurations[0].spec.runtime_settings.container = Json::object();
  cluster.configurations[0].metadata.generation = 3;
  cluster.run(minutes(1));
  CHECK(cluster.served().size() == 2);
}

TEST_CASE("other settings of the chart are tried at once, and are held to account themselves",
          "[controller][refused][F66][I1]") {
  Policed cluster;
  cluster.configurations = {a_backup_configuration()};
  cluster.refuses = [](const Json& workload) { return workload.dump().contains("elsewhere.example"); };
  cluster.settings.image = "elsewhere.example/stash:1";
  cluster.run(minutes(20));
  REQUIRE(cluster.held() == Names{"app-backup"});
  SECTION("better ones") {
    cluster.settings.image = "stash:2";
    cluster.run(seconds(10));
    CHECK(cluster.held().empty());
    CHECK(cluster.served() == Names{"app-backup"});
  }
  SECTION("no better ones") {
    cluster.settings.image = "elsewhere.example/stash:2";
    cluster.run(seconds(10));
    CHECK(cluster.configurations[0].status.withdrawal->settings == inject::fingerprint(cluster.settings));
  }
  CHECK(cluster.author_may_write());
}

TEST_CASE(
    "a restore whose init container the workload is refused with waits outside, and its sidecar is none the worse",
    "[controller][refused][F66][I1][I13]") {
  Policed cluster;
  cluster.configurations = {a_backup_configuration()};
  cluster.restores = {a_restore_session().phase("Pending")};
  cluster.refuses = inject::has_init_container;
  cluster.run(seconds(15));
  CHECK(cluster.author_may_write());
  CHECK(cluster.restores[0].status.withdrawal);
  CHECK(cluster.restores[0].status.phase == "Pending");
  cluster.run(minutes(2));
  CHECK(cluster.served() == Names{"app-backup"});
  CHECK(cluster.held() == Names{"app-restore"});
  cluster.refuses = [](const Json&) { return false; };
  cluster.run(minutes(4) + seconds(10));
  CHECK(inject::has_init_container(cluster.workload));
  CHECK(cluster.held().empty());
}

TEST_CASE("missing rights, quotas, conflicts and a server in trouble say nothing about what a nudge brings",
          "[controller][refused][F66][F18][F20][I1]") {
  const auto counts = [](int status, const char* reason, const std::string& sentence) {
    const ErrorCode code = status == 403 ? ErrorCode::denied : ErrorCode::invalid;
    return may_be_for_what_it_brings({code, fmt::format("patch Deployment demo/web: {} {}", reason, sentence)});
  };
  CHECK(counts(422, "", "ValidatingAdmissionPolicy 'p' with binding 'p' denied request: no"));
  CHECK(counts(403, "", "admission webhook \"validation.gatekeeper.sh\" denied the request: no"));
  CHECK_FALSE(counts(403, "",
                     "deployments.apps \"web\" is forbidden: User \"system:serviceaccount:stash:stash-operator\" "
                     "cannot patch resource \"deployments\" in API group \"apps\" in the namespace \"demo\""));
  CHECK_FALSE(counts(403, "", "deployments.apps \"web\" is forbidden: exceeded quota: q, requested: x=1"));
  for (const ErrorCode code : {ErrorCode::conflict, ErrorCode::throttled, ErrorCode::unreachable, ErrorCode::timed_out,
                               ErrorCode::not_found, ErrorCode::cancelled}) {
    CHECK_FALSE(may_be_for_what_it_brings({code, "denied the request"}));
  }
}

TEST_CASE("the verdict says who refused what, the remedy and the time of the next try", "[controller][refused]") {
  Policed cluster;
  cluster.configurations = {a_backup_configuration()};
  cluster.refuses = has_ours;
  const TimePoint began = cluster.clock.now();
  cluster.run(seconds(0));
  CHECK(*cluster.configurations[0].status.withdrawal ==
        api::Withdrawal{"Withdrawn", "WorkloadRefused",
                        "the API server refuses Deployment demo/stash-demo with the sidecar, so it is left as it is: "
                        "denied by policy; set spec.runtimeSettings.container to what is allowed there, or change the "
                        "policy",
                        1, 1, inject::fingerprint(cluster.settings), 1, began, began + minutes(1)});
  const auto findings = cluster.plan().findings;
  REQUIRE(findings.size() == 1);
  CHECK(inject::code_of(findings[0].reason) == "WorkloadRefused");
  CHECK(findings[0].message.contains("it is tried again at "));
}

TEST_CASE("one that is held back is looked at when its time has come, though its sidecar of before runs well",
          "[controller][refused]") {
  api::Withdrawal held{"Withdrawn", "WorkloadRefused", "", 1, 1, "now", 1, kCreated, kCreated + minutes(8)};
  const RolloutFacts well{.injected = true, .settled = true}, going{.injected = true};
  CHECK(look_at_rollout_in(held, well, kCreated, kCreated) == minutes(8));
  CHECK(look_at_rollout_in(held, {}, kCreated, kCreated) == minutes(8));
  CHECK(look_at_rollout_in(held, going, kCreated, kCreated) == seconds(15));
  held.phase = "Retrying";
  CHECK_FALSE(look_at_rollout_in(held, well, kCreated, kCreated));
}
