#include <catch2/catch.hpp>

#include "api/codec.h"
#include "unit/support/random_objects.h"

using namespace stash;
using namespace stash::api;
using stash::test::RandomObjects;

namespace {

constexpr int kObjects = 300;

template <class Kind>
void check_round_trip(const Kind& object) {
  const Json json = encode(object);
  CAPTURE(json.dump(1));
  const Result<Kind> decoded = decode<Kind>(json);
  if (!decoded) FAIL(decoded.error().message);
  CHECK(*decoded == object);
}

/// The API server would drop, or keep without knowing it, what is not in the schema.
void check_in_schema(const Json& schema, const Json& value, const std::string& pointer) {
  if (value.is_array() && schema.contains("items")) {
    for (const Json& item : value) check_in_schema(schema["items"], item, pointer + "/-");
  }
  if (!value.is_object() || !schema.contains("properties")) return;
  for (const auto& [key, child] : value.items()) {
    INFO(pointer << "/" << key);
    REQUIRE(schema["properties"].contains(key));
    check_in_schema(schema["properties"][key], child, pointer + "/" + key);
  }
}

template <class Kind>
void check_schema_covers(const Json& object) {
  static const Json crd = custom_resource_definition<Kind>();
  const Json& schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
  for (const char* part : {"spec", "status"}) {
    if (object.contains(part)) check_in_schema(schema["properties"][part], object[part], part);
  }
}

}  // namespace

TEST_CASE("decoding gives back what was encoded", "[api][codec]") {
  RandomObjects random(1);
  for (int i = 0; i < kObjects; ++i) {
    check_round_trip(random.repository());
    check_round_trip(random.backup_configuration());
    check_round_trip(random.backup_session());
    check_round_trip(random.restore_session());
    check_round_trip(random.backup_blueprint());
  }
}

TEST_CASE("the schema has every field that is ever written", "[api][codec]") {
  RandomObjects random(2);
  for (int i = 0; i < kObjects; ++i) {
    check_schema_covers<Repository>(encode(random.repository()));
    check_schema_covers<BackupConfiguration>(encode(random.backup_configuration()));
    check_schema_covers<RestoreSession>(encode(random.restore_session()));
    check_schema_covers<BackupBlueprint>(encode(random.backup_blueprint()));
    const BackupSession session = random.backup_session();
    check_schema_covers<BackupSession>(encode(session));
    check_schema_covers<BackupSession>({{"status", encode_status(session.status, random.target_ref())}});
  }
}

TEST_CASE("a status alone is the status of the whole object", "[api][codec]") {
  RandomObjects random(3);
  for (int i = 0; i < kObjects; ++i) {
    const Repository repository = random.repository();
    CHECK(encode(repository)["status"] == encode_status(repository.status));
    const BackupBlueprint blueprint = random.backup_blueprint();
    CHECK(object_at(encode(blueprint), {"status"}) == encode_status(blueprint.status));
    const BackupSession session = random.backup_session();
    const Json status = encode_status(session.status, random.target_ref());
    const auto read_back = decode<BackupSession>({{"status", status}});
    REQUIRE(read_back);
    CHECK(read_back->status == session.status);
  }
}
