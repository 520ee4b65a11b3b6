#include "controller/owned_object.h"

#include <catch2/catch.hpp>

using namespace stash;
using namespace stash::controller;

namespace {

const Json kOwner = {
    {"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"name", "web"}, {"uid", "u1"}, {"blockOwnerDeletion", false}};

Json wanted_binding(const std::string& role = "mine") {
  return {
      {"apiVersion", "rbac.authorization.k8s.io/v1"},
      {"kind", "RoleBinding"},
      {"metadata", owned_metadata("demo", "mine", {{"app.kubernetes.io/managed-by", "stash.appscode.com"}}, kOwner)},
      {"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Role"}, {"name", role}}}};
}

/// What the API server would hold after the plan's only write.
Json stored(const Plan& plan) {
  Json live = plan.writes.back().body;
  live["metadata"]["uid"] = "u9";
  live["metadata"]["resourceVersion"] = "7";
  return live;
}

Json applied(const Json& wanted) {
  Plan plan;
  plan_owned(plan, api::kRoleBindings, wanted, nullptr);
  return stored(plan);
}

}  // namespace

TEST_CASE("a missing object is applied, an equal one is not written again", "[controller][owned]") {
  Plan plan;
  CHECK(plan_owned(plan, api::kRoleBindings, wanted_binding(), nullptr) == Owned::planned);
  REQUIRE(plan.writes.size() == 1);
  Json live = stored(plan);
  live["metadata"]["labels"]["by"] = "somebody else";
  live["metadata"]["ownerReferences"].push_back({{"kind", "Other"}, {"name", "x"}, {"uid", "y"}});
  plan = {};
  CHECK(plan_owned(plan, api::kRoleBindings, wanted_binding(), &live) == Owned::as_wanted);
  CHECK(plan.empty());
}

TEST_CASE("an object of ours that drifted is applied on the version that was seen", "[controller][owned][F17][I19]") {
  Json live = applied(wanted_binding());
  live["metadata"]["annotations"].clear();
  Plan plan;
  CHECK(plan_owned(plan, api::kRoleBindings, wanted_binding(), &live) == Owned::planned);
  CHECK(plan.writes.at(0).body["metadata"]["resourceVersion"] == "7");
}

TEST_CASE("an object of that name that is not ours is left alone", "[controller][owned]") {
  Json live = applied(wanted_binding());
  live["metadata"].erase("labels");
  live["metadata"].erase("ownerReferences");
  Plan plan;
  CHECK(plan_owned(plan, api::kRoleBindings, wanted_binding(), &live) == Owned::taken);
  drop_owned(plan, api::kRoleBindings, &live, Json::array({kOwner}));
  CHECK(plan.empty());
}

TEST_CASE("an object of ours that belongs to another owner of that kind is neither taken from it nor removed",
          "[controller][owned][F83][I7]") {
  const auto owned_by = [](std::string name, std::string uid) {
    Json live = applied(wanted_binding());
    live["metadata"]["ownerReferences"][0]["name"] = std::move(name);
    live["metadata"]["ownerReferences"][0]["uid"] = std::move(uid);
    return live;
  };
  Json live = owned_by("web.v1", "u2");
  CHECK(other_owner_of(live, Json::array({kOwner})) == "Deployment web.v1");
  Plan plan;
  CHECK(plan_owned(plan, api::kRoleBindings, wanted_binding(), &live) == Owned::taken);
  drop_owned(plan, api::kRoleBindings, &live, Json::array({kOwner}));
  CHECK(plan.empty());

  INFO("shared by mistake, or left by an owner of that name which was made anew, it may be taken over");
  live["metadata"]["ownerReferences"].push_back(kOwner);
  CHECK(other_owner_of(live, Json::array({kOwner})).empty());
  live = owned_by("web", "before");
  CHECK(plan_owned(plan, api::kRoleBindings, wanted_binding(), &live) == Owned::planned);
}

TEST_CASE("a binding of older Stash, owned but to a ClusterRole, is removed and made anew", "[controller][owned]") {
  Json live = {
      {"metadata",
       {{"name", "mine"},
        {"namespace", "demo"},
        {"uid", "old"},
        {"resourceVersion", "3"},
        {"ownerReferences", Json::array({kOwner})}}},
      {"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", "stash-sidecar"}}}};
  Plan plan;
  CHECK(plan_owned(plan, api::kRoleBindings, wanted_binding(), &live) == Owned::planned);
  REQUIRE(plan.writes.size() == 2);
  CHECK(plan.writes[0].verb == Write::Verb::remove);
  CHECK(plan.writes[0].uid == "old");
  CHECK(plan.writes[1].verb == Write::Verb::apply);
  CHECK_FALSE(plan.writes[1].body["metadata"].contains("resourceVersion"));
}

TEST_CASE("what is ours is removed once, by its UID", "[controller][owned]") {
  Json live = applied(wanted_binding());
  Plan plan;
  drop_owned(plan, api::kRoleBindings, &live, Json::array());
  REQUIRE(plan.writes.size() == 1);
  CHECK(plan.writes[0].uid == "u9");
  live["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  plan = {};
  drop_owned(plan, api::kRoleBindings, &live, Json::array());
  CHECK(plan.empty());
}
