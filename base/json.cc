#include "base/json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <atomic>
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

Json copied(const simdjson::dom::element& from);

Json copied(const simdjson::dom::object& from) {
  Json to(Json::value_t::object);
  auto& members = to.get_ref<Json::object_t&>();
  for (const auto [key, value] : from) {
    // Go writes maps in the order of their keys, so the end is often the right place. Of a key twice the last counts.
    if (members.empty() || members.rbegin()->first < key) {
      members.emplace_hint(members.end(), key, copied(value));
    } else {
      members.insert_or_assign(std::string(key), copied(value));
    }
  }
  return to;
}

Json copied(const simdjson::dom::array& from) {
  Json to(Json::value_t::array);
  auto& elements = to.get_ref<Json::array_t&>();
  elements.reserve(from.size());
  for (const simdjson::dom::element element : from) elements.push_back(copied(element));
  return to;
}

Json copied(const simdjson::dom::element& from) {
  using simdjson::dom::element_type;
  switch (from.type()) {
    case element_type::OBJECT:
      return copied(known(from.get_object()));
    case element_type::ARRAY:
      return copied(known(from.get_array()));
    case element_type::STRING:
      return known(from.get_string());
    case element_type::INT64:
      // As nlohmann's parser: what has no sign is unsigned.
      if (const std::int64_t number = known(from.get_int64()); number < 0) return number;
      return static_cast<std::uint64_t>(known(from.get_int64()));
    case element_type::UINT64:
      return known(from.get_uint64());
    case element_type::DOUBLE:
      return known(from.get_double());
    case element_type::BOOL:
      return known(from.get_bool());
    case element_type::NULL_VALUE:
      return nullptr;
  }
  return nullptr;
}

/// A parser, which is as dear to make as a small text to read. One is kept for whoever comes next: one for each thread
/// would keep what its largest text so far needed, and the controller has many threads.
class ParserLoan {
 public:
  ParserLoan() : parser_(spare().exchange(nullptr)) {
    if (!parser_) parser_ = std::make_unique<simdjson::dom::parser>();
  }
  ~ParserLoan() {
    constexpr std::size_t kKept = 16u << 10;
    if (parser_->capacity() > kKept) return;
    // Another one may have come back in the meantime.
    parser_.reset(spare().exchange(parser_.release()));
  }
  ParserLoan(const ParserLoan&) = delete;
  ParserLoan& operator=(const ParserLoan&) = delete;

  simdjson::dom::parser* operator->() const { return parser_.get(); }

 private:
  static std::atomic<simdjson::dom::parser*>& spare() {
    static std::atomic<simdjson::dom::parser*> kept;
    return kept;
  }

  std::unique_ptr<simdjson::dom::parser> parser_;
};

/// nullopt: simdjson does not take it, which may be for a limit of its own.
std::optional<Json> parse_quickly(std::string_view text) {
  if (text.empty() || text.size() > kQuick) return std::nullopt;
  const ParserLoan parser;
  if (parser->capacity() < text.size() && parser->allocate(text.size(), kMaxDepth) != simdjson::SUCCESS)
    return std::nullopt;
  simdjson::dom::element root;
  if (parser->parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) return std::nullopt;
  return copied(root);
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
