#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "unit/support/objects.h"

using namespace stash;
using namespace stash::api;

namespace {

template <class Kind>
std::string error_of(const Json& object) {
  const Result<Kind> decoded = decode<Kind>(object);
  if (decoded) return "accepted";
  CHECK(decoded.error().code == ErrorCode::invalid);
  return decoded.error().message;
}

Json configuration(std::string_view text) {
  return Json{{"metadata", {{"namespace", "demo"}, {"name", "app"}}}, {"spec", parse_json(text).value()}};
}
Json repository(std::string_view text) {
  return Json{{"metadata", {{"namespace", "demo"}, {"name", "gcs"}}}, {"spec", parse_json(text).value()}};
}

}  // namespace

TEST_CASE("a wrong type is refused with the object, the pointer and both types", "[api][decode]") {
  CHECK(error_of<Repository>(repository(R"({"backend":{"gcs":{"bucket":5}}})")) ==
        "Repository demo/gcs: /spec/backend/gcs/bucket: expected a string, got a number");
  CHECK(error_of<Repository>(repository(R"({"backend":"gcs"})")) ==
        "Repository demo/gcs: /spec/backend: expected an object, got a string");
  CHECK(error_of<Repository>(repository(R"({"backend":{"local":{"hostPath":"/data"}}})")) ==
        "Repository demo/gcs: /spec/backend/local/hostPath: expected an object, got a string");

  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"({"schedule":true})", "/spec/schedule: expected a string, got a boolean"},
      {R"({"paused":"yes"})", "/spec/paused: expected a boolean, got a string"},
      {R"({"repository":"gcs"})", "/spec/repository: expected an object, got a string"},
      {R"({"repository":{"name":["gcs"]}})", "/spec/repository/name: expected a string, got a list"},
      {R"({"target":{"paths":"/a"}})", "/spec/target/paths: expected a list, got a string"},
      {R"({"target":{"directories":{}}})", "/spec/target/directories: expected a list, got an object"},
      {R"({"target":{"paths":["/a",{}]}})", "/spec/target/paths/1: expected a string, got an object"},
      {R"({"target":{"paths":[null]}})", "/spec/target/paths/0: expected a string, got null"},
      {R"({"target":{"volumeMounts":[{"name":"v"}]}})", "/spec/target/volumeMounts/0/mountPath: required"},
      {R"({"retentionPolicy":{"keepLast":"5"}})", "/spec/retentionPolicy/keepLast: expected an integer, got a string"},
      {R"({"retentionPolicy":{"keepLast":1.5}})", "/spec/retentionPolicy/keepLast: expected an integer, got 1.5"},
      {R"({"tempDir":{"sizeLimit":[]}})", "/spec/tempDir/sizeLimit: expected a string or a number, got a list"},
      {R"({"runtimeSettings":{"container":{"nice":{"adjustment":"x"}}}})",
       "/spec/runtimeSettings/container/nice/adjustment: expected an integer, got a string"},
      {R"({"runtimeSettings":{"container":{"env":[5]}}})",
       "/spec/runtimeSettings/container/env/0: expected an object, got a number"},
  };
  for (const auto& [spec, message] : cases) {
    CHECK(error_of<BackupConfiguration>(configuration(spec)) ==
          fmt::format("BackupConfiguration demo/app: {}", message));
  }
}

TEST_CASE("an integer must be whole and in range, however it is written", "[api][decode]") {
  const auto keep_last = [](std::string_view number) {
    return decode<BackupConfiguration>(
        configuration(fmt::format(R"({{"retentionPolicy":{{"keepLast":{}}}}})", number)));
  };
  CHECK(keep_last("5.0")->spec.retention_policy.keep_last == 5);
  CHECK(keep_last("2147483647")->spec.retention_policy.keep_last == 2147483647);
  CHECK(keep_last("-2147483648")->spec.retention_policy.keep_last == -2147483647 - 1);
  for (const auto* number : {"2147483648", "-2147483649", "1e300", "-1e300", "18446744073709551615"}) {
    const auto refused = keep_last(number);
    REQUIRE_FALSE(refused);
    CHECK_THAT(
        refused.error().message,
        Catch::Contains("/spec/retentionPolicy/keepLast: expected an integer from -2147483648 to 2147483647, got "));
  }

  const auto generation = [](std::string_view number) {
    return decode<BackupSession>(
        parse_json(fmt::format(R"({{"status":{{"conditions":[{{"type":"T","observedGeneration":{}}}]}}}})", number))
            .value());
  };
  CHECK(generation("9223372036854775807")->status.conditions[0].observed_generation == 9223372036854775807);
  CHECK_FALSE(generation("9223372036854775808"));
  CHECK_FALSE(generation("9223372036854775808.0"));
}

TEST_CASE("a time must be one", "[api][decode]") {
  const auto heartbeat = [](std::string_view time) {
    return decode<BackupSession>(
        parse_json(fmt::format(R"({{"status":{{"stats":[{{"hostname":"h","claim":{{"heartbeatTime":{}}}}}]}}}})", time))
            .value());
  };
  CHECK(heartbeat(R"("2023-11-14T22:13:20Z")")->status.stats[0].claim->heartbeat == stash::test::kCreated);
  CHECK(heartbeat("null")->status.stats[0].claim->heartbeat == std::nullopt);
  CHECK(heartbeat(R"("yesterday")").error().message ==
        "BackupSession: /status/stats/0/claim/heartbeatTime: expected a time such as 2006-01-02T15:04:05Z, got "
        "\"yesterday\"");
}

TEST_CASE("null counts as absent everywhere", "[api][decode]") {
  CHECK(decode<BackupConfiguration>(configuration("null"))->spec == BackupConfigurationSpec{});
  CHECK(decode<BackupConfiguration>(configuration(R"({"schedule":null,"paused":null,"target":null,"repository":null,
      "retentionPolicy":{"keepLast":null,"keepTags":null},"runtimeSettings":{"container":null}})"))
            ->spec == BackupConfigurationSpec{});
}

TEST_CASE("unknown fields are ignored when read", "[api][decode]") {
  const auto decoded = decode<BackupConfiguration>(configuration(
      R"({"paused":true,"fromTheFuture":{"a":[1]},"target":{"more":1},"retentionPolicy":{"keepForever":true}})"));
  BackupConfigurationSpec expected;
  expected.paused = true;
  expected.target.emplace();
  REQUIRE(decoded);
  CHECK(decoded->spec == expected);
}

TEST_CASE("what is not of the kind is refused", "[api][decode]") {
  CHECK(error_of<Repository>(Json(5)) == "Repository: expected an object");
  CHECK(error_of<Repository>(Json{{"kind", "Secret"}, {"metadata", {{"name", "x"}}}}) ==
        "Repository x: /kind: expected Repository, got Secret");
  CHECK(error_of<Repository>(Json{{"spec", Json::array()}}) == "Repository: /spec: expected an object, got a list");
}

TEST_CASE("a reference to another namespace is refused, for it would mean another object", "[api][decode]") {
  CHECK(error_of<BackupConfiguration>(configuration(R"({"repository":{"name":"r","namespace":"backups"}})")) ==
        "BackupConfiguration demo/app: /spec/repository/namespace: \"backups\" is another namespace, which is not "
        "supported; use "
        "an object in demo, or leave the field out");
  CHECK_THAT(error_of<RestoreSession>(configuration(R"({"target":{"ref":{"name":"r","namespace":"other"}}})")),
             Catch::StartsWith("RestoreSession demo/app: /spec/target/ref/namespace: "));
  CHECK(decode<BackupConfiguration>(configuration(R"({"repository":{"name":"r","namespace":"demo"}})"))
            ->spec.repository == "r");
}
