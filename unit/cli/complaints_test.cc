#include "cli/complaints.h"

#include <catch2/catch.hpp>

using namespace stash;
using namespace stash::cli;

namespace {

Json condition(const std::string& type, const std::string& status, const std::string& reason,
               const std::string& message) {
  return {{"type", type}, {"status", status}, {"reason", reason}, {"message", message}};
}

std::vector<Complaint> complaints(Json conditions) {
  return complaints_of({{"status", {{"conditions", std::move(conditions)}}}});
}

}  // namespace

TEST_CASE("a condition that is False is a complaint, and Ready does not repeat it", "[cli][complaints]") {
  CHECK(complaints({condition("RepositoryFound", "False", "Missing", "create it"),
                    condition("Ready", "False", "Missing", "create it"),
                    condition("BackendSecretFound", "Unknown", "Missing", "")}) ==
        std::vector<Complaint>{{"RepositoryFound", "Missing", "create it", true}});
}

TEST_CASE("what only Ready tells is told", "[cli][complaints]") {
  CHECK(complaints({condition("FieldsHonoured", "False", "Ignored", "task has no effect"),
                    condition("Ready", "False", "Invalid", "there are no paths")}) ==
        std::vector<Complaint>{{"FieldsHonoured", "Ignored", "task has no effect", false},
                               {"Ready", "Invalid", "there are no paths", true}});
}

TEST_CASE("one cause is told once", "[cli][complaints]") {
  CHECK(complaints({condition("StashSidecarInjected", "False", "NamespaceNotOptedIn", "label it"),
                    condition("CronJobCreated", "False", "NamespaceNotOptedIn", "label it")})
            .size() == 1);
}

TEST_CASE("pods that are refused beside those that run are a mild complaint", "[cli][complaints]") {
  CHECK(complaints({condition("StashSidecarInjected", "True", "PodsRefused", "the policy says no")}) ==
        std::vector<Complaint>{{"StashSidecarInjected", "PodsRefused", "the policy says no", false}});
}

TEST_CASE("conditions whose False is no news are none", "[cli][complaints]") {
  CHECK(complaints({condition("LocationShared", "False", "x", "nobody else is there"),
                    condition("Completed", "False", "x", "it runs")})
            .empty());
  CHECK(complaints_of(Json::object()).empty());
}
