#include "base/json.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

template <>
void nlohmann::basic_json<>::json_value::destroy(nlohmann::detail::value_t type) {
  // What else it does, 3.11.3 and later may change.
  static_assert(NLOHMANN_JSON_VERSION_MAJOR == 3 && NLOHMANN_JSON_VERSION_MINOR == 11 &&
                NLOHMANN_JSON_VERSION_PATCH == 2);
  const auto release = [](auto* held) {
    std::allocator<std::remove_pointer_t<decltype(held)>> allocator;
    std::destroy_at(held);
    allocator.deallocate(held, 1);
  };
  switch (type) {
    case nlohmann::detail::value_t::object:
      return release(object);
    case nlohmann::detail::value_t::array:
      return release(array);
    case nlohmann::detail::value_t::string:
      return release(string);
    case nlohmann::detail::value_t::binary:
      return release(binary);
    default:
      return;
  }
}

template class nlohmann::basic_json<>;

namespace stash {

const Json* at(const Json& value, std::initializer_list<std::string_view> path) {
  const Json* here = &value;
  for (const std::string_view key : path) {
    const auto* members = here->get_ptr<const Json::object_t*>();
    if (members == nullptr) return nullptr;
    const auto found = members->find(key);
    if (found == members->end()) return nullptr;
    here = &found->second;
  }
  return here;
}

std::string_view text_at(const Json& value, std::initializer_list<std::string_view> path, std::string_view fallback) {
  const Json* found = at(value, path);
  const auto* text = found == nullptr ? nullptr : found->get_ptr<const Json::string_t*>();
  return text == nullptr ? fallback : *text;
}

std::string string_at(const Json& value, std::initializer_list<std::string_view> path, std::string_view fallback) {
  return std::string(text_at(value, path, fallback));
}

std::int64_t int_at(const Json& value, std::initializer_list<std::string_view> path, std::int64_t fallback) {
  const Json* found = at(value, path);
  if (found == nullptr || !found->is_number_integer()) return fallback;
  // The unsigned type is asked first: the parser uses it for everything that has no minus sign.
  if (const auto* number = found->get_ptr<const Json::number_unsigned_t*>()) {
    return *number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
               ? fallback
               : static_cast<std::int64_t>(*number);
  }
  const auto* number = found->get_ptr<const Json::number_integer_t*>();
  return number == nullptr ? fallback : *number;
}

bool bool_at(const Json& value, std::initializer_list<std::string_view> path, bool fallback) {
  const Json* found = at(value, path);
  const auto* flag = found == nullptr ? nullptr : found->get_ptr<const Json::boolean_t*>();
  return flag == nullptr ? fallback : *flag;
}

const Json& array_at(const Json& value, std::initializer_list<std::string_view> path) {
  static const Json empty = Json::array();
  const Json* found = at(value, path);
  return found != nullptr && found->is_array() ? *found : empty;
}

const Json& object_at(const Json& value, std::initializer_list<std::string_view> path) {
  static const Json empty = Json::object();
  const Json* found = at(value, path);
  return found != nullptr && found->is_object() ? *found : empty;
}

std::string escape_pointer(std::string_view key) {
  std::string escaped;
  escaped.reserve(key.size());
  for (const char c : key) {
    if (c == '~') {
      escaped += "~0";
    } else if (c == '/') {
      escaped += "~1";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace stash
