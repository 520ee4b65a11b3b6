#include "base/json.h"

#include <fmt/format.h>
#include <simdjson.h>

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

namespace {

constexpr int kMaxDepth = 512;

// Looks at brackets outside of strings only. For text that is no JSON the answer does not matter: the parser refuses
// it.
bool too_deep(std::string_view text) {
  // Most documents have too few brackets for that, and counting is much quicker than following them.
  if (std::ranges::count(text, '[') + std::ranges::count(text, '{') <= kMaxDepth) return false;
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

// Larger ones take simdjson a dozen times their size besides, for a gain that nobody waits for.
constexpr std::size_t kQuick = 64u << 10;

template <class Value>
Value known(const simdjson::simdjson_result<Value>& result) {
  return result.value_unsafe();
}

void copy_to(const simdjson::dom::element& from, Json& to) {
  namespace dom = simdjson::dom;
  switch (from.type()) {
    case dom::element_type::OBJECT: {
      to = Json::object();
      auto& members = to.get_ref<Json::object_t&>();
      // Go writes maps in the order of their keys, so the end is often the right place.
      for (const auto [key, value] : known(from.get_object())) {
        copy_to(value, members.emplace_hint(members.end(), key, nullptr)->second);
      }
      return;
    }
    case dom::element_type::ARRAY: {
      to = Json::array();
      auto& elements = to.get_ref<Json::array_t&>();
      const dom::array array = known(from.get_array());
      elements.reserve(array.size());
      for (const dom::element element : array) copy_to(element, elements.emplace_back());
      return;
    }
    case dom::element_type::STRING:
      to = known(from.get_string());
      return;
    case dom::element_type::INT64:
      // As nlohmann's parser: what has no sign is unsigned.
      if (const std::int64_t number = known(from.get_int64()); number < 0) {
        to = number;
      } else {
        to = static_cast<std::uint64_t>(number);
      }
      return;
    case dom::element_type::UINT64:
      to = known(from.get_uint64());
      return;
    case dom::element_type::DOUBLE:
      to = known(from.get_double());
      return;
    case dom::element_type::BOOL:
      to = known(from.get_bool());
      return;
    case dom::element_type::NULL_VALUE:
      to = nullptr;
      return;
  }
}

/// nullopt: simdjson does not take it, which may be for a limit of its own.
std::optional<Json> parse_quickly(std::string_view text) {
  if (text.empty() || text.size() > kQuick) return std::nullopt;
  // One for each thread would keep what the largest text so far needed, and the controller has many threads.
  simdjson::dom::parser parser;
  if (parser.allocate(text.size(), kMaxDepth) != simdjson::SUCCESS) return std::nullopt;
  simdjson::dom::element root;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) return std::nullopt;
  Json value;
  copy_to(root, value);
  return value;
}

constexpr bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

void append_dump(const Json& value, std::string& out);

void append_library_dump(const Json& value, std::string& out) {
  out += value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Most of what is written are short ASCII texts, which nlohmann decodes byte by byte.
void append_text(const std::string& text, std::string& out) {
  const std::size_t begin = out.size();
  out += '"';
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    const char* const special = std::find_if_not(at, end, [](char c) { return is_plain(c); });
    out.append(at, static_cast<std::size_t>(special - at));
    at = special;
    if (at == end) break;
    if (*at != '"' && *at != '\\') {
      out.resize(begin);
      return append_library_dump(text, out);
    }
    out += '\\';
    out += *at++;
  }
  out += '"';
}

void append_dump(const Json& value, std::string& out) {
  if (const auto* text = value.get_ptr<const std::string*>()) return append_text(*text, out);
  if (const auto* members = value.get_ptr<const Json::object_t*>()) {
    char before = '{';
    for (const auto& [key, member] : *members) {
      out += std::exchange(before, ',');
      append_text(key, out);
      out += ':';
      append_dump(member, out);
    }
    out += members->empty() ? "{}" : "}";
    return;
  }
  if (const auto* elements = value.get_ptr<const Json::array_t*>()) {
    char before = '[';
    for (const Json& element : *elements) {
      out += std::exchange(before, ',');
      append_dump(element, out);
    }
    out += elements->empty() ? "[]" : "]";
    return;
  }
  append_library_dump(value, out);
}

// The parser that does not throw does not say where it stopped either; this one keeps only that.
class ErrorPosition : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
  bool string(string_t& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }
  bool start_object(std::size_t /*elements*/) override { return true; }
  bool key(string_t& /*value*/) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t /*elements*/) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    byte = position;
    return false;
  }

  std::size_t byte = 0;
};

}  // namespace

Result<Json> parse_json(std::string_view text) {
  if (auto quickly = parse_quickly(text)) return *std::move(quickly);
  if (too_deep(text)) return fail(ErrorCode::invalid, fmt::format("JSON nested deeper than {} levels", kMaxDepth));
  Json value = Json::parse(text, nullptr, false);
  if (!value.is_discarded()) return value;
  ErrorPosition position;
  Json::sax_parse(text, &position);
  return fail(ErrorCode::invalid,
              fmt::format("not JSON, at byte {} of {}", std::min(position.byte, text.size()), text.size()));
}

std::string dump_json(const Json& value) {
  std::string text;
  append_dump(value, text);
  return text;
}

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

std::string string_at(const Json& value, std::initializer_list<std::string_view> path, std::string_view fallback) {
  const Json* found = at(value, path);
  const auto* text = found == nullptr ? nullptr : found->get_ptr<const Json::string_t*>();
  return text == nullptr ? std::string(fallback) : *text;
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
