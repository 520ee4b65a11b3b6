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

std::unexpected<Error> expected(std::string_view what, const Json& value, const std::string& pointer) {
  return fail(ErrorCode::invalid, fmt::format("{}: expected {}, got {}", pointer, what, kind_of(value)));
}

Result<void> check_integer(const Node& node, const Json& value, const std::string& pointer) {
  if (!value.is_number()) return expected("an integer", value, pointer);
  bool in_range = false;
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (!std::isfinite(number) || number != std::trunc(number)) {
      return fail(ErrorCode::invalid, fmt::format("{}: expected an integer, got {}", pointer, dump_json(value)));
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
  return fail(ErrorCode::invalid, fmt::format("{}: expected an integer from {} to {}, got {}", pointer, node.minimum,
                                              node.maximum, dump_json(value)));
}

Result<void> check_time(const Json& value, const std::string& pointer) {
  if (!value.is_string()) return expected("a time", value, pointer);
  const auto& text = value.get_ref<const std::string&>();
  if (parse_time(text)) return {};
  return fail(ErrorCode::invalid,
              fmt::format("{}: expected a time such as 2006-01-02T15:04:05Z, got {}", pointer, dump_json(value)));
}

Result<void> check_object(const Node& node, const Json& value, const std::string& pointer) {
  if (!value.is_object()) return expected("an object", value, pointer);
  for (const std::string& name : node.required) {
    if (find(value, name) == nullptr) return fail(ErrorCode::invalid, fmt::format("{}/{}: required", pointer, name));
  }
  for (const Node& property : node.properties) {
    if (const Json* child = find(value, property.name)) {
      TRY_VOID(check(property, *child, fmt::format("{}/{}", pointer, property.name)));
    }
  }
  return {};
}

Result<void> check_list(const Node& node, const Json& value, const std::string& pointer) {
  if (!value.is_array()) return expected("a list", value, pointer);
  for (std::size_t i = 0; i < value.size(); ++i) {
    const std::string where = fmt::format("{}/{}", pointer, i);
    if (value[i].is_null())
      return expected(node.items.front().type == Type::text ? "a string" : "an object", value[i], where);
    TRY_VOID(check(node.items.front(), value[i], where));
  }
  return {};
}

}  // namespace

Result<void> check(const Node& node, const Json& value, const std::string& pointer) {
  switch (node.type) {
    case Type::text:
      if (!value.is_string()) return expected("a string", value, pointer);
      return {};
    case Type::boolean:
      if (!value.is_boolean()) return expected("a boolean", value, pointer);
      return {};
    case Type::integer:
      return check_integer(node, value, pointer);
    case Type::time:
      return check_time(value, pointer);
    case Type::quantity:
    case Type::generation:
      if (!value.is_string() && !value.is_number()) return expected("a string or a number", value, pointer);
      return {};
    case Type::object:
      return check_object(node, value, pointer);
    case Type::list:
      return check_list(node, value, pointer);
  }
  return {};
}

}  // namespace stash::api::schema
