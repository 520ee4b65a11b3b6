#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/json.h"

namespace stash {

namespace {

using Eight = std::uint64_t;
constexpr Eight kOnes = 0x0101010101010101u;
constexpr Eight kHighBits = 0x8080808080808080u;

constexpr bool has_zero_byte(Eight bytes) { return ((bytes - kOnes) & ~bytes & kHighBits) != 0; }

/// Eight bytes of ASCII at once that need no escape.
constexpr bool are_plain(Eight bytes) {
  const bool ascii = (bytes & kHighBits) == 0;
  const bool no_controls = ((bytes - kOnes * 0x20) & kHighBits) == 0;
  return ascii && no_controls && !has_zero_byte(bytes ^ kOnes * '"') && !has_zero_byte(bytes ^ kOnes * '\\');
}

constexpr bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

/// Writes behind what is in a text. Most of what is written are short ASCII texts, which nlohmann decodes byte by byte.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out), used_(out.size()) {}
  ~Writer() { out_.resize(used_); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void value(const Json& value) {
    switch (value.type()) {
      case Json::value_t::object:
        return object(value.get_ref<const Json::object_t&>());
      case Json::value_t::array:
        return array(value.get_ref<const Json::array_t&>());
      case Json::value_t::string:
        return text(value.get_ref<const std::string&>());
      case Json::value_t::boolean:
        return literal(value.get_ref<const bool&>() ? "true" : "false");
      case Json::value_t::null:
        return literal("null");
      case Json::value_t::number_integer:
        return number(value.get_ref<const std::int64_t&>());
      case Json::value_t::number_unsigned:
        return number(value.get_ref<const std::uint64_t&>());
      default:
        return literal(by_library(value));
    }
  }

 private:
  static std::string by_library(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
  }

  void make_room(std::size_t bytes) {
    constexpr std::size_t kFirst = 1024;
    if (out_.size() - used_ < bytes) out_.resize(std::max({kFirst, 2 * out_.size(), used_ + bytes}));
  }

  void one(char c) {
    make_room(1);
    out_[used_++] = c;
  }

  void literal(std::string_view bytes) {
    make_room(bytes.size());
    bytes.copy(out_.data() + used_, bytes.size());
    used_ += bytes.size();
  }

  template <class Number>
  void number(Number number) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    literal({digits.data(), end});
  }

  void text(const std::string& text) {
    make_room(2 * text.size() + 2);  // each of them escaped
    const char* from = text.data();
    const char* const end = from + text.size();
    char* to = out_.data() + used_;
    *to++ = '"';
    while (from != end) {
      if (Eight bytes; end - from >= static_cast<std::ptrdiff_t>(sizeof bytes)) {
        std::memcpy(&bytes, from, sizeof bytes);
        if (are_plain(bytes)) {
          std::memcpy(to, &bytes, sizeof bytes);
          from += sizeof bytes;
          to += sizeof bytes;
          continue;
        }
      }
      // As far as the next eight begin, or the end.
      const char* const stop = end - from > 8 ? from + 8 : end;
      for (; from != stop; *to++ = *from++) {
        if (is_plain(*from)) continue;
        if (*from != '"' && *from != '\\') return literal(by_library(text));
        *to++ = '\\';
      }
    }
    *to++ = '"';
    used_ = static_cast<std::size_t>(to - out_.data());
  }

  void object(const Json::object_t& members) {
    char before = '{';
    for (const auto& [key, member] : members) {
      one(std::exchange(before, ','));
      text(key);
      one(':');
      value(member);
    }
    literal(members.empty() ? "{}" : "}");
  }

  void array(const Json::array_t& elements) {
    char before = '[';
    for (const Json& element : elements) {
      one(std::exchange(before, ','));
      value(element);
    }
    literal(elements.empty() ? "[]" : "]");
  }

  std::string& out_;  ///< longer than what is written
  std::size_t used_;
};

}  // namespace

void append_json(std::string& out, const Json& value) { Writer(out).value(value); }

std::string dump_json(const Json& value) {
  std::string text;
  append_json(text, value);
  return text;
}

}  // namespace stash
