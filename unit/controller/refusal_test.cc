#include "controller/refusal.h"

#include <catch2/catch.hpp>

namespace {

using namespace stash;
using namespace stash::controller;

Json sidecar(Json resources) { return {{"name", "stash"}, {"resources", std::move(resources)}}; }

const Json kSidecar = sidecar({{"requests", {{"cpu", "10m"}, {"memory", "32Mi"}}}, {"limits", {{"memory", "1Gi"}}}});

Json an_event(const char* reason, const char* message, const char* first, const char* last) {
  return {{"reason", reason}, {"message", message}, {"firstTimestamp", first}, {"lastTimestamp", last}};
}

TimePoint at_time(const char* text) { return parse_time(text).value(); }

}  // namespace

TEST_CASE("a quota that the pod would keep without the sidecar is exceeded by us", "[controller][refusal]") {
  CHECK(blame_for("pods \"web-1\" is forbidden: exceeded quota: q, requested: limits.memory=1152Mi, used: "
                  "limits.memory=128Mi, limited: limits.memory=1Gi",
                  kSidecar) == Blame::ours);
  CHECK(blame_for("exceeded quota: q, requested: cpu=110m,requests.memory=64Mi, used: cpu=900m,requests.memory=0, "
                  "limited: cpu=1,requests.memory=40Mi",
                  kSidecar) == Blame::ours);
}

TEST_CASE("a quota that is used up anyway is not exceeded by us", "[controller][refusal]") {
  CHECK(blame_for("exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5", kSidecar) == Blame::not_ours);
  CHECK(blame_for("exceeded quota: q, requested: requests.cpu=1010m, used: requests.cpu=1, limited: requests.cpu=1500m",
                  kSidecar) == Blame::not_ours);
  CHECK(blame_for("exceeded quota: q, requested: cpu=110m,pods=1, used: cpu=900m,pods=5, limited: cpu=1,pods=5",
                  kSidecar) == Blame::not_ours);
}

TEST_CASE("what the namespace fills in for the sidecar is not known", "[controller][refusal]") {
  CHECK(blame_for("exceeded quota: q, requested: limits.cpu=2, used: limits.cpu=0, limited: limits.cpu=1", kSidecar) ==
        Blame::unclear);
}

TEST_CASE("a quota that misses values blames the containers that it names", "[controller][refusal]") {
  CHECK(blame_for("failed quota: q: must specify limits.cpu for: stash; limits.memory for: stash", kSidecar) ==
        Blame::ours);
  CHECK(blame_for("failed quota: q: must specify limits.cpu for: stash,stash-init", kSidecar) == Blame::ours);
  CHECK(blame_for("failed quota: q: must specify limits.cpu for: app,stash", kSidecar) == Blame::not_ours);
  CHECK(blame_for("failed quota: q: must specify limits.cpu,limits.memory", kSidecar) == Blame::unclear);
}

TEST_CASE("all other sentences leave it open", "[controller][refusal]") {
  for (const char* sentence : {"", "exceeded quota:", "exceeded quota: q, requested: x, used: y", "must specify ",
                               "pods \"web\" is forbidden: violates PodSecurity \"baseline:latest\": hostPath volumes "
                               "(volume \"stash-local\")",
                               "minimum cpu usage per Container is 100m, but request is 10m"}) {
    CHECK(blame_for(sentence, kSidecar) == Blame::unclear);
  }
}

TEST_CASE("a refusal is known by the workload's condition", "[controller][refusal]") {
  const Json condition = {{"type", "ReplicaFailure"},
                          {"status", "True"},
                          {"message", "no"},
                          {"lastTransitionTime", "2026-01-01T00:00:00Z"}};
  const auto refusal = refusal_of({{"status", {{"conditions", {condition}}}}}, {}, TimePoint::max());
  REQUIRE(refusal);
  CHECK(refusal->sentence == "no");
  CHECK(refusal->since == at_time("2026-01-01T00:00:00Z"));
}

TEST_CASE("else by the newest event, when that is new enough", "[controller][refusal]") {
  const std::vector<Json> events = {an_event("FailedCreate", "second", "2026-01-01T00:01:00Z", "2026-01-01T00:09:00Z"),
                                    an_event("FailedCreate", "first", "2026-01-01T00:00:00Z", "2026-01-01T00:08:00Z"),
                                    an_event("FailedMount", "other", "2026-01-01T00:00:00Z", "2026-01-01T00:10:00Z")};
  const auto refusal = refusal_of(Json::object(), events, at_time("2026-01-01T00:08:30Z"));
  REQUIRE(refusal);
  CHECK(refusal->sentence == "second");
  CHECK(refusal->since == at_time("2026-01-01T00:01:00Z"));
  CHECK_FALSE(refusal_of(Json::object(), events, at_time("2026-01-01T00:09:30Z")));
}
