#include "controller/shared_location.h"

#include <catch2/catch.hpp>

#include "controller/repository_plan.h"
#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

RepositoryBuilder on_claim(const std::string& name, seconds age = seconds(0)) {
  return a_repository(name).pvc("backups").created(kCreated + age);
}

Json after(const RepositoryBuilder& repository, std::vector<api::Repository> all) {
  RepositoryWorld world{.repository = repository.json(), .secret = Presence::present, .settings = some_settings()};
  world.claim = Presence::present;
  world.in_namespace = std::move(all);
  world.now = kCreated;
  Json done = world.repository;
  carry_out(plan_repository(world), api::kRepositories, done);
  return done;
}

}  // namespace

TEST_CASE("of Repositories with one location the oldest makes the restic repository",
          "[controller][shared_location][F28][I7]") {
  const auto first = on_claim("b"), second = on_claim("a", seconds(1));
  const std::vector<api::Repository> all{first, second, a_repository("other").pvc("elsewhere")};
  CHECK(condition_of(after(first, all), "LocationShared") ==
        "True First: Repository a of this namespace has the same location; snapshots of hosts with one name are taken "
        "for each other's, and every retention policy holds for all");
  CHECK(condition_of(after(second, all), "LocationShared") ==
        "True NotFirst: Repository b of this namespace has the same location; snapshots of hosts with one name are "
        "taken for each other's, and every retention policy holds for all. Only backups to Repository b, which is "
        "older, make the restic repository there");
  CHECK(condition_of(after(second, all), "Ready").starts_with("True"));
}

TEST_CASE("of Repositories of one age exactly one is the first", "[controller][shared_location]") {
  const std::vector<api::Repository> all{on_claim("a"), on_claim("b"), on_claim("c")};
  int firsts = 0;
  for (const char* name : {"a", "b", "c"})
    firsts += condition_of(after(on_claim(name), all), "LocationShared").starts_with("True First") ? 1 : 0;
  CHECK(firsts == 1);
}

TEST_CASE("a Repository with a location of its own has nothing to say about others", "[controller][shared_location]") {
  CHECK(condition_of(after(on_claim("a"), {on_claim("a")}), "LocationShared").empty());
  CHECK(condition_of(after(on_claim("a"), {on_claim("a"), on_claim("b").ns("elsewhere")}), "LocationShared").empty());
  CHECK(condition_of(after(on_claim("a"), {on_claim("a"), on_claim("b").being_deleted()}), "LocationShared").empty());
  // hostPath is another directory on every node.
  CHECK(condition_of(after(a_repository("a"), {a_repository("a"), a_repository("b")}), "LocationShared").empty());
}

TEST_CASE("when the other Repository is gone, this one says so", "[controller][shared_location]") {
  auto second = on_claim("b", seconds(1));
  second.with([](api::Repository& repository) {
    repository.status.conditions.push_back({"LocationShared", "True", "NotFirst", "m", 1, kCreated});
  });
  CHECK(condition_of(after(second, {second}), "LocationShared") ==
        "False OnlyOne: no other Repository of the namespace has its location");
}
