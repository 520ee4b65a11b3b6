#include <fmt/format.h>

#include <cmath>

#include "api/schema.h"
#include "base/time.h"

namespace stash::api::schema {
namespace {

std::string_view kind_of(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::boolean:
      return "a boolean";
    case Json::value_t::string:
      return "a string";
    case Json::value_t::array:
      return "a list";
    case Json::value_t::object:
      return "an object";
    default:
      return "a number";
  }
}

/// Where a value is. Written out for complaints only: nearly all of what is decoded is good.
struct Place {
  const Place* parent = nullptr;  ///< of the whole document, none
  std::string_view name;
  std::size_t index = 0;  ///< when it has no name

  std::string text() const {
    if (parent == nullptr) return "";
    return name.empty() ? fmt::format("{}/{}", parent->text(), index) : fmt::format("{}/{}", parent->text(), name);
  }
};

Result<void> check_at(const Node& node, const Json& value, const Place& place);

std::unexpected<Error> expected(std::string_view what, const Json& value, const Place& place) {
  return fail(ErrorCode::invalid, fmt::format("{}: expected {}, got {}", place.text(), what, kind_of(value)));
}

Result<void> check_integer(const Node& node, const Json& value, const Place& place) {
  if (!value.is_number()) return expected("an integer", value, place);
  bool in_range = false;
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (!std::isfinite(number) || number != std::trunc(number)) {
      return fail(ErrorCode::invalid, fmt::format("{}: expected an integer, got {}", place.text(), dump_json(value)));
    }
    // 2^63 is the first double that no int64 holds.
    in_range =
        number >= static_cast<double>(node.minimum) && number <= static_cast<double>(node.maximum) && number < 0x1p63;
  } else if (value.is_number_unsigned()) {
    in_range = value.get<std::uint64_t>() <= static_cast<std::uint64_t>(node.maximum);
  } else {
    in_range = value.get<std::int64_t>() >= node.minimum && value.get<std::int64_t>() <= node.maximum;
  }
  if (in_range) return {};
  return fail(ErrorCode::invalid, fmt::format("{}: expected an integer from {} to {}, got {}", place.text(),
                                              node.minimum, node.maximum, dump_json(value)));
}

Result<void> check_time(const Json& value, const Place& place) {
  if (!value.is_string()) return expected("a time", value, place);
  const auto& text = value.get_ref<const std::string&>();
  if (parse_time(text)) return {};
  return fail(ErrorCode::invalid,
              fmt::format("{}: expected a time such as 2006-01-02T15:04:05Z, got {}", place.text(), dump_json(value)));
}

Result<void> check_object(const Node& node, const Json& value, const Place& place) {
  if (!value.is_object()) return expected("an object", value, place);
  for (const std::string& name : node.required) {
    if (find(value, name) == nullptr)
      return fail(ErrorCode::invalid, fmt::format("{}/{}: required", place.text(), name));
  }
  for (const Node& property : node.properties) {
    const auto child = value.find(property.name);
    if (child == value.end() || child->is_null()) continue;
    TRY_VOID(check_at(property, *child, {.parent = &place, .name = property.name}));
  }
  return {};
}

Result<void> check_list(const Node& node, const Json& value, const Place& place) {
  if (!value.is_array()) return expected("a list", value, place);
  for (std::size_t i = 0; i < value.size(); ++i) {
    const Place where{.parent = &place, .index = i};
    if (value[i].is_null())
      return expected(node.items.front().type == Type::text ? "a string" : "an object", value[i], where);
    TRY_VOID(check_at(node.items.front(), value[i], where));
  }
  return {};
}

Result<void> check_at(const Node& node, const Json& value, const Place& place) {
  switch (node.type) {
    case Type::text:
      if (!value.is_string()) return expected("a string", value, place);
      return {};
    case Type::boolean:
      if (!value.is_boolean()) return expected("a boolean", value, place);
      return {};
    case Type::integer:
      return check_integer(node, value, place);
    case Type::time:
      return check_time(value, place);
    case Type::quantity:
    case Type::generation:
      if (!value.is_string() && !value.is_number()) return expected("a string or a number", value, place);
      return {};
    case Type::object:
      return check_object(node, value, place);
    case Type::list:
      return check_list(node, value, place);
  }
  return {};
}

}  // namespace

Result<void> check(const Node& node, const Json& value) { return check_at(node, value, {}); }

}  // namespace stash::api::schema
