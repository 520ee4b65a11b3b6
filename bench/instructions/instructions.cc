// Does one thing a fixed number of times on a fixed input, for tools/instructions, which counts the instructions below
// stash_measured. Their number hardly depends on the machine, so a test can hold it to a budget.
//
// usage: instructions NAME TIMES

#include <fmt/format.h>

#include <charconv>
#include <functional>
#include <map>

#include "api/codec.h"
#include "base/log.h"
#include "controller/plan.h"
#include "controller/session_phase.h"
#include "unit/controller/worlds.h"
#include "unit/support/review.h"
#include "unit/support/workload.h"
#include "webhook/review.h"
#include "webhook/service.h"

/// The name that callgrind is told; nothing else is counted.
extern "C" [[gnu::noinline]] void stash_measured(const std::function<void()>& work, int times) {
  for (int i = 0; i < times; ++i) work();
}

namespace {

using namespace stash;
using namespace stash::test;

constexpr int kHosts = 50;

std::function<void()> answer() {
  struct Webhook {
    webhook::Index index;
    webhook::Certificate certificate;
    webhook::Metrics metrics;
    webhook::Service service{
        {.image = "stash:bench", .allowed_host_paths = {"/"}}, index, certificate, [] { return true; }, {}, metrics};
  };
  const auto made = std::make_shared<Webhook>();
  const Json ns = {{"metadata", {{"labels", {{"stash.appscode.com/injection", "enabled"}}}}}};
  const Json configuration = a_backup_configuration().json();
  const Json repository = a_repository().json();
  made->index.change(api::kNamespaces, {"", "demo"}, &ns);
  made->index.change(api::kBackupConfigurations, {"demo", "app-backup"}, &configuration);
  made->index.change(api::kRepositories, {"demo", "repo"}, &repository);
  made->index.set_complete();
  const webhook::Respond respond = made->service.admission_routes().at("POST /mutate");
  return [made, respond, body = a_review("apps", "Deployment", a_usual_workload()).dump()] {
    if (!respond(body).body.contains(R"("patch":")")) std::abort();
  };
}

std::function<void()> decode() {
  return [body = a_review("stash.appscode.com", "BackupConfiguration", a_backup_configuration().json()).dump()] {
    const auto review = webhook::parse_review(body);
    if (!api::decode<api::BackupConfiguration>(review->object)) std::abort();
  };
}

controller::SessionWorld a_large_session() {
  BackupSessionBuilder session = a_backup_session();
  controller::SessionWorld world = a_session_world(session);
  for (int i = 0; i < kHosts; ++i) {
    world.session["status"]["stats"].push_back(
        {{"hostname", fmt::format("host-{}", i)},
         {"phase", i % 2 == 0 ? "Succeeded" : "Running"},
         {"duration", "12s"},
         {"snapshots", Json::array({Json{{"name", "c4aff7e4"}, {"path", "/source/data"}}})}});
  }
  world.session["status"]["phase"] = "Running";
  world.session["status"]["totalHosts"] = kHosts;
  return world;
}

std::function<void()> plan() {
  return [world = a_large_session()] { controller::plan_session(world); };
}

std::function<void()> diff() {
  const Json session = a_large_session().session;
  Json status = session["status"];
  status["stats"][kHosts / 2]["phase"] = "Failed";
  return [session, status] {
    controller::Plan plan;
    controller::write_status(plan, api::kBackupSessions, session, status);
    if (plan.writes.empty()) std::abort();
  };
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string_view, std::function<void()> (*)()> all = {
      {"answer", answer}, {"decode", decode}, {"diff", diff}, {"plan", plan}};
  const auto chosen = argc == 3 ? all.find(argv[1]) : all.end();
  int times = 0;
  if (argc == 3) std::from_chars(argv[2], argv[2] + std::string_view(argv[2]).size(), times);
  if (chosen == all.end() || times < 1) {
    fmt::print(stderr, "usage: instructions NAME TIMES\n");
    for (const auto& [name, make] : all) fmt::print(stderr, "  {}\n", name);
    return 2;
  }
  set_log_level(LogLevel::error);
  const std::function<void()> work = chosen->second();
  work();  // what is made once is not counted
  stash_measured(work, times);
  return 0;
}
