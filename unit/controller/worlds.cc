#include "unit/controller/worlds.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

namespace stash::test {

bool carry_out(const controller::Plan& plan, const api::Resource& resource, Json& object) {
  bool wrote = false;
  const api::ObjectMeta meta = api::meta_of(object);
  std::string version = meta.resource_version;
  const std::string first_version = version;
  for (const controller::Write& write : plan.writes) {
    if (write.resource != resource || write.ref != meta.ref()) continue;
    REQUIRE(write.verb == controller::Write::Verb::merge_patch);
    // The executor hands the version of one write to the next.
    REQUIRE(string_at(write.body, {"metadata", "resourceVersion"}) == first_version);
    Json patch = write.body;
    if (write.subresource == "status") {
      REQUIRE(patch.size() == 2);
    } else {
      REQUIRE_FALSE(patch.contains("status"));
    }
    object.merge_patch(patch);
    version = std::to_string(std::stoi(version) + 1);
    object["metadata"]["resourceVersion"] = version;
    wrote = true;
  }
  return wrote;
}

std::string condition_of(const Json& object, std::string_view type) {
  for (const Json& condition : array_at(object, {"status", "conditions"})) {
    if (string_at(condition, {"type"}) != type) continue;
    return fmt::format("{} {}: {}", string_at(condition, {"status"}), string_at(condition, {"reason"}),
                       string_at(condition, {"message"}));
  }
  return "";
}

std::vector<std::string> events_of(const controller::Plan& plan) {
  std::vector<std::string> events;
  for (const controller::Note& note : plan.notes) events.push_back(note.reason + ": " + note.message);
  return events;
}

}  // namespace stash::test
