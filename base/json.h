#pragma once
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

// nlohmann first moves all of a document into one list, lest its depth exhaust the stack. Ours have 512 levels at most
// (parse_json), and a quarter of what an answer of the webhook costs was that (docs/decisions/0053). Defined in
// json.cc.
template <>
void nlohmann::basic_json<>::json_value::destroy(nlohmann::detail::value_t type);
// Compiled once, in json.cc: it saves each file that touches JSON about a second.
extern template class nlohmann::basic_json<>;

namespace stash {

using Json = nlohmann::json;

/// Non-throwing parse. Error invalid: says at which byte; depth over 512 is refused (a hostile document must not
/// exhaust the stack when it is destroyed or dumped).
Result<Json> parse_json(std::string_view text);

/// Compact text. Invalid UTF-8 is replaced, never thrown.
std::string dump_json(const Json& value);
/// The same behind what is in `out` already.
void append_json(std::string& out, const Json& value);

/// Views that never throw and never create. `path` is a list of object keys: at(pod, {"spec", "containers"}).
/// nullptr when a step is missing or its parent is no object.
const Json* at(const Json& value, std::initializer_list<std::string_view> path);
std::string_view text_at(const Json& value, std::initializer_list<std::string_view> path,
                         std::string_view fallback = "");  ///< into `value`, or `fallback`
std::string string_at(const Json& value, std::initializer_list<std::string_view> path, std::string_view fallback = "");
std::int64_t int_at(const Json& value, std::initializer_list<std::string_view> path, std::int64_t fallback = 0);
bool bool_at(const Json& value, std::initializer_list<std::string_view> path, bool fallback = false);
/// The array at `path`, or an empty array.
const Json& array_at(const Json& value, std::initializer_list<std::string_view> path);
/// The object at `path`, or an empty object.
const Json& object_at(const Json& value, std::initializer_list<std::string_view> path);

/// "a/b~c" -> "a~1b~0c", for JSON pointers (RFC 6901).
std::string escape_pointer(std::string_view key);

}  // namespace stash
