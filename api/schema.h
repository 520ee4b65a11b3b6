#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/codec.h"
#include "base/json.h"

/// What a JSON document of ours may look like, built from the fields() tables (describe.h). Decoding checks against it,
/// the CRD is printed from it.
namespace stash::api::schema {

enum class Type {
  text,
  boolean,
  integer,
  time,        ///< RFC 3339
  quantity,    ///< Kubernetes quantity: text or number
  generation,  ///< a number, or "<number>$<hash>" as the first releases of Stash wrote it
  object,
  list,
};

/// A validation rule of the CRD: https://kubernetes.io/docs/reference/using-api/cel/
struct CelRule {
  std::string_view expression, message;
  std::string_view field_path{};  ///< what the message is about, when not the object with the rule
};

struct Node {
  Type type = Type::object;
  std::string doc;
  bool open = false;           ///< an embedded Kubernetes object: every key belongs to the field itself
  bool not_yet = false;        ///< accepted, but this version does not act on it
  bool false_matters = false;  ///< false is not the same as absent
  std::string only;            ///< the one value acted on, "" for all
  std::string yields_to;       ///< sibling that is read instead when it is set
  std::int64_t minimum = std::numeric_limits<std::int64_t>::min(), maximum = std::numeric_limits<std::int64_t>::max();
  std::size_t max_items = 0, max_length = 0;  ///< 0: no limit
  std::string list_key;                       ///< of a list that is a map, else ""
  bool unique_items = false;
  std::vector<std::string> required;
  std::string name;  ///< when it is a property
  std::vector<Node> properties;
  std::vector<Node> items;  ///< one, when type is list
  std::vector<CelRule> rules;

  const Node* property(std::string_view name) const;
  /// The property at a path such as "repository.name"; missing steps become objects.
  Node& make(std::string_view path);
  /// Replaces it, apart from its name.
  void set(std::string_view path, Node child);
};

/// The value at a path such as "repository.name"; nullptr when it is missing or null.
const Json* find(const Json& object, std::string_view path);
/// Sets the value at such a path.
void put(Json& object, std::string_view path, Json value);

/// Error invalid: "/spec/backend/gcs/bucket: expected a string, got a number".
Result<void> check(const Node& node, const Json& value);

/// Adds what is set in `value` but not acted on.
void collect_ignored(const Node& node, const Json& value, const std::string& pointer, IgnoredFields& ignored);

Json to_open_api(const CelRule& rule);
/// Structural schema: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
Json to_open_api(const Node& node);

}  // namespace stash::api::schema
