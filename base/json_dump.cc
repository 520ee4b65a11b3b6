#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/json.h"

namespace stash {

namespace {

using Eight = std::uint64_t;
constexpr Eight kOnes = 0x0101010101010101u;
constexpr Eight kHighBits = 0x8080808080808080u;

/// The high bit of each byte that is zero; of those above the first one it may be wrong.
constexpr Eight zero_bytes(Eight bytes) { return (bytes - kOnes) & ~bytes & kHighBits; }

/// Of eight characters, how many come before the first one that is no ASCII or needs an escape.
std::size_t plain_bytes(Eight bytes) {
  const Eight not_ascii = bytes & kHighBits;
  const Eight controls = (bytes - kOnes * 0x20) & ~bytes & kHighBits;
  const Eight special = not_ascii | controls | zero_bytes(bytes ^ kOnes * '"') | zero_bytes(bytes ^ kOnes * '\\');
  return static_cast<std::size_t>(std::countr_zero(special)) / 8;
}
static_assert(std::endian::native == std::endian::little, "the first character is the lowest byte");

/// As many as there are of eight characters, and zeros.
Eight next_eight(const char* from, std::size_t left) {
  Eight bytes = 0;
  if (left >= sizeof bytes) {
    std::memcpy(&bytes, from, sizeof bytes);
  } else if (left >= sizeof(std::uint32_t)) {
    std::uint32_t first, last;  // they overlap
    std::memcpy(&first, from, sizeof first);
    std::memcpy(&last, from + left - sizeof last, sizeof last);
    bytes = first | static_cast<Eight>(last) << 8 * (left - sizeof last);
  } else {
    for (std::size_t i = 0; i < left; ++i) bytes |= static_cast<Eight>(static_cast<unsigned char>(from[i])) << 8 * i;
  }
  return bytes;
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
    if (out_.size() - used_ >= bytes) return;
    // What comes behind used_ is written before it is looked at.
    out_.resize_and_overwrite(std::max({kFirst, 2 * out_.size(), used_ + bytes}),
                              [](char*, std::size_t size) { return size; });
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
    make_room(2 * text.size() + 2 + sizeof(Eight));  // each of them escaped, and what is written beyond the end
    const char* from = text.data();
    const char* const end = from + text.size();
    char* to = out_.data() + used_;
    *to++ = '"';
    while (from != end) {
      const auto left = static_cast<std::size_t>(end - from);
      const Eight bytes = next_eight(from, left);
      std::memcpy(to, &bytes, sizeof bytes);
      const std::size_t plain = std::min(plain_bytes(bytes), left);
      from += plain;
      to += plain;
      if (plain == left || plain == sizeof bytes) continue;
      if (*from != '"' && *from != '\\') return literal(by_library(text));
      *to++ = '\\';
      *to++ = *from++;
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
  // Where a text grows, so that what is given has the size that it needs.
  thread_local std::string draft;
  constexpr std::size_t kKept = 16u << 10;
  draft.clear();
  append_json(draft, value);
  if (draft.capacity() > kKept) return std::exchange(draft, {});
  return draft;
}

}  // namespace stash
