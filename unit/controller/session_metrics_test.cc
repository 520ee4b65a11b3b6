#include "controller/session_metrics.h"

#include <catch2/catch.hpp>

#include "controller/push_outbox.h"
#include "unit/controller/worlds.h"
#include "unit/support/api_script.h"
#include "unit/support/fake_clock.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;
using Groups = std::vector<PushedGroup>;
using Texts = std::vector<std::string>;

api::BackupSession ended(const char* phase) {
  return a_backup_session().phase(phase).total_hosts(3).with(
      [](api::BackupSession& session) { session.status.session_duration = "1m5.5s"; });
}

Json a_group(Json labels, const char* metric = "stash_backup_session_success") {
  return {{"labels", std::move(labels)}, {metric, Json::object()}, {"push_time_seconds", Json::object()}};
}
Json session_group(const char* job, const char* name) {
  return a_group({{"job", job}, {"namespace", "demo"}, {"invoker", name}});
}
Json host_group(const char* job, const char* host) {
  return a_group({{"job", job}, {"namespace", "demo"}, {"hostname", host}}, "stash_backup_host_backup_success");
}
Json answer_of(std::vector<Json> groups) { return {{"status", "success"}, {"data", std::move(groups)}}; }

Living some_living() { return {{"demo/app-backup"}, {"demo/app-restore"}}; }

}  // namespace

TEST_CASE("a session that ended is told with the labels of its target", "[controller][metrics]") {
  CHECK(render_session_metrics(ended("Succeeded"), a_backup_configuration()) ==
        R"(# HELP stash_backup_session_success Whether the last backup of all hosts succeeded
# TYPE stash_backup_session_success gauge
stash_backup_session_success{driver="Restic",kind="Deployment",group="apps",name="stash-demo",namespace="demo",repository="repo"} 1
# HELP stash_backup_session_duration_seconds Time from the begin of the last backup session to its end
# TYPE stash_backup_session_duration_seconds gauge
stash_backup_session_duration_seconds{driver="Restic",kind="Deployment",group="apps",name="stash-demo",namespace="demo",repository="repo"} 65.5
# HELP stash_backup_host_count_total Hosts of the last backup session
# TYPE stash_backup_host_count_total gauge
stash_backup_host_count_total{driver="Restic",kind="Deployment",group="apps",name="stash-demo",namespace="demo",repository="repo"} 3
)");
  const auto failed = render_session_metrics(ended("Failed"), a_backup_configuration());
  REQUIRE(failed);
  CHECK(failed->find("repository=\"repo\"} 0\n") != std::string::npos);
}

TEST_CASE("a session without a result is not told", "[controller][metrics]") {
  for (const char* phase : {"", "Pending", "Running", "Skipped"}) {
    CHECK_FALSE(render_session_metrics(ended(phase), a_backup_configuration()));
  }
  CHECK_FALSE(render_session_metrics(ended("Failed"), a_backup_configuration().no_target()));
}

TEST_CASE("a restore is told under names of its own", "[controller][metrics]") {
  const auto text = render_session_metrics(a_restore_session().phase("Succeeded").total_hosts(1));
  REQUIRE(text);
  CHECK(text->find("stash_restore_session_success{") != std::string::npos);
  CHECK(text->find("stash_restore_host_count_total{") != std::string::npos);
}

TEST_CASE("every session group has an address of its own", "[controller][metrics]") {
  CHECK(group_url("http://gw:56789", backup_group("demo", "app-backup")) ==
        "http://gw:56789/metrics/job/stash-backup/namespace/demo/invoker/app-backup");
  CHECK(group_url("http://gw:56789", restore_group("demo", "app-restore")) ==
        "http://gw:56789/metrics/job/stash-restore/namespace/demo/invoker/app-restore");
}

TEST_CASE("groups of objects that are gone are stale, those of living ones are not", "[controller][metrics]") {
  const Json answer = answer_of({session_group("stash-backup", "app-backup"), session_group("stash-backup", "gone"),
                                 session_group("stash-restore", "app-restore"), session_group("stash-restore", "old"),
                                 host_group("app-backup", "host-0"), host_group("gone", "host-0"),
                                 host_group("app-restore", "host-0")});
  CHECK(stale_groups(answer, some_living()) == Groups{{"stash-backup", "demo", "invoker", "gone"},
                                                      {"stash-restore", "demo", "invoker", "old"},
                                                      {"gone", "demo", "hostname", "host-0"}});
}

TEST_CASE("groups of hosts that the workload has no more are stale", "[controller][metrics]") {
  const auto session = [](const char* name, int age, const char* phase, const std::vector<const char*>& hosts) {
    auto made = a_backup_session(name).created(kCreated - minutes(age)).phase(phase);
    for (const char* host : hosts) made.host(host, phase);
    return made.build();
  };
  Living living = some_living();
  const auto stale_hosts = [&](const std::vector<api::BackupSession>& sessions) {
    living.hosts = hosts_still_backed_up(sessions);
    std::vector<std::string> hosts;
    for (const PushedGroup& group :
         stale_groups(answer_of({host_group("app-backup", "host-0"), host_group("app-backup", "host-1"),
                                 host_group("app-restore", "host-1")}),
                      living)) {
      hosts.push_back(group.job + " " + group.value);
    }
    return hosts;
  };
  const api::BackupSession both = session("both", 30, "Succeeded", {"host-0", "host-1"});
  const api::BackupSession fewer = session("fewer", 20, "Failed", {"host-0"});
  CHECK(stale_hosts({}).empty());
  CHECK(stale_hosts({both}).empty());
  CHECK(stale_hosts({fewer, both}) == Texts{"app-backup host-1"});
  CHECK(stale_hosts({both, fewer, session("more", 10, "Running", {"host-0", "host-1"})}).empty());
  CHECK(stale_hosts({both, session("lost", 20, "Failed", {}), session("skipped", 10, "Skipped", {})}).empty());
  CHECK(stale_hosts({session("early", 30, "Pending", {})}).empty());
  const api::BackupSession others = a_backup_session("x", "else").phase("Succeeded").host("host-7", "Succeeded");
  CHECK(stale_hosts({both, others}).empty());
}

TEST_CASE("a backup's group is stale although a restore has its name", "[controller][metrics]") {
  CHECK(stale_groups(answer_of({session_group("stash-backup", "app-restore")}), some_living()).size() == 1);
}

TEST_CASE("what others push is left alone", "[controller][metrics]") {
  Json mixed = host_group("gone", "host-0");
  mixed["batch_success"] = Json::object();
  const Json answer =
      answer_of({mixed, a_group({{"job", "gone"}}), a_group({{"job", "gone"}, {"namespace", "demo"}, {"pod", "x"}}),
                 a_group({{"job", "gone"}, {"namespace", "demo"}, {"hostname", "h"}}, "batch_success"),
                 a_group({{"job", "gone"}, {"namespace", "demo"}, {"hostname", "h"}, {"more", "1"}}),
                 session_group("else", "gone"), 5, Json::object()});
  CHECK(stale_groups(answer, some_living()).empty());
  CHECK(stale_groups(Json(5), some_living()).empty());
}

TEST_CASE("the outbox pushes each result once, and again when it changes", "[controller][metrics]") {
  ApiScript script;
  FakeClock clock;
  PushOutbox outbox(script.config().server + "/", clock);
  HttpClient client({});
  const auto nobody = [] { return some_living(); };
  const std::string path = "/metrics/job/stash-backup/namespace/demo/invoker/app-backup";
  script.on("PUT", path).reply(200);
  script.on("GET", "/api/v1/metrics").reply(200, answer_of({session_group("stash-backup", "app-backup")}));
  script.on("PUT", path).reply(202);
  outbox.put(backup_group("demo", "app-backup"), "old\n");
  outbox.put(backup_group("demo", "app-backup"), "one\n");
  CHECK(outbox.send(client, nobody));
  outbox.put(backup_group("demo", "app-backup"), "one\n");
  CHECK(outbox.send(client, nobody));
  outbox.put(backup_group("demo", "app-backup"), "two\n");
  CHECK(outbox.send(client, nobody));
  const auto calls = script.calls();
  REQUIRE(calls.size() == 3);
  CHECK(calls[0].body == "one\n");
  CHECK(calls[2].body == "two\n");
}

TEST_CASE("what the Pushgateway lost is pushed again", "[controller][metrics]") {
  ApiScript script;
  FakeClock clock;
  PushOutbox outbox(script.config().server, clock);
  HttpClient client({});
  const std::string path = "/metrics/job/stash-backup/namespace/demo/invoker/app-backup";
  script.on("PUT", path).always().reply(200);
  script.on("GET", "/api/v1/metrics").reply(200, answer_of({session_group("stash-backup", "app-backup")}));
  script.on("GET", "/api/v1/metrics").reply(200, answer_of({}));
  const auto times_pushed_after_another_put = [&] {
    outbox.put(backup_group("demo", "app-backup"), "text\n");
    CHECK(outbox.send(client, some_living));
    const auto calls = script.calls();
    return std::ranges::count(calls, "PUT", &ApiScript::Call::method);
  };
  CHECK(times_pushed_after_another_put() == 1);
  CHECK(times_pushed_after_another_put() == 1);
  outbox.clean_up_soon();
  CHECK(outbox.send(client, some_living));
  CHECK(times_pushed_after_another_put() == 2);
}

TEST_CASE("what was deleted while the Pushgateway was away is not kept for it", "[controller][metrics]") {
  ApiScript script;
  FakeClock clock;
  PushOutbox outbox(script.config().server, clock);
  HttpClient client({});
  script.on("PUT", "/metrics/job/stash-backup/namespace/demo/invoker/app-backup").reply(503);
  outbox.put(backup_group("demo", "app-backup"), "text\n");
  for (int i = 0; i < 50; ++i) outbox.put(restore_group("demo", "gone-" + std::to_string(i)), "text\n");
  CHECK_FALSE(outbox.send(client, some_living));
  CHECK(outbox.waiting() == 1);
}

TEST_CASE("what could not be pushed is pushed later", "[controller][metrics]") {
  ApiScript script;
  FakeClock clock;
  PushOutbox outbox(script.config().server, clock);
  HttpClient client({});
  const std::string path = "/metrics/job/stash-restore/namespace/demo/invoker/app-restore";
  script.on("PUT", path).reply(500);
  script.on("PUT", path).reply(200);
  script.on("GET", "/api/v1/metrics").reply(200, answer_of({}));
  outbox.put(restore_group("demo", "app-restore"), "text\n");
  CHECK_FALSE(outbox.send(client, some_living));
  CHECK(outbox.send(client, some_living));
}

TEST_CASE("stale groups are deleted when something was deleted, and after an outage of ours", "[controller][metrics]") {
  ApiScript script;
  FakeClock clock;
  PushOutbox outbox(script.config().server, clock);
  HttpClient client({});
  const Json answer = answer_of({session_group("stash-backup", "gone"), host_group("gone", "host-0")});
  script.on("GET", "/api/v1/metrics").reply(200, answer);
  script.on("DELETE", "/metrics/job/stash-backup/namespace/demo/invoker/gone").reply(202);
  script.on("DELETE", "/metrics/job/gone/namespace/demo/hostname/host-0").reply(500);
  script.on("GET", "/api/v1/metrics").reply(200, answer_of({}));
  CHECK_FALSE(outbox.send(client, some_living));
  CHECK(outbox.send(client, some_living));
  CHECK(outbox.send(client, some_living));
  outbox.clean_up_soon();
  script.on("GET", "/api/v1/metrics").reply(200, answer_of({}));
  CHECK(outbox.send(client, some_living));
}

TEST_CASE("without a Pushgateway nothing is kept", "[controller][metrics]") {
  FakeClock clock;
  PushOutbox outbox("", clock);
  const kube::Term term;
  outbox.put(backup_group("demo", "a"), "text\n");
  outbox.run(some_living, term);
}
