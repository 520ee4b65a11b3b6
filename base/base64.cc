#include "base/base64.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace stash {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// For each twelve bits their two characters.
constexpr auto kPairs = [] {
  std::array<std::array<char, 2>, 4096> pairs{};
  for (std::size_t bits = 0; bits < pairs.size(); ++bits) pairs[bits] = {kAlphabet[bits >> 6], kAlphabet[bits & 63]};
  return pairs;
}();

int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

}  // namespace

void append_base64(std::string& text, std::string_view bytes) {
  const std::size_t before = text.size();
  text.resize(before + (bytes.size() + 2) / 3 * 4, '=');
  const auto byte = [&](std::size_t i) -> std::uint32_t { return static_cast<unsigned char>(bytes[i]); };
  char* out = text.data() + before;
  std::size_t i = 0;
  for (std::uint64_t eight; i + sizeof eight <= bytes.size(); i += 6, out += 8) {
    std::memcpy(&eight, bytes.data() + i, sizeof eight);
    if constexpr (std::endian::native == std::endian::little) eight = std::byteswap(eight);
    const auto put = [&](std::size_t place, unsigned shift) {
      std::memcpy(out + place, kPairs[eight >> shift & 4095].data(), 2);
    };
    put(0, 52);
    put(2, 40);
    put(4, 28);
    put(6, 16);
  }
  for (; i + 3 <= bytes.size(); i += 3, out += 4) {
    const std::uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    std::memcpy(out, kPairs[group >> 12].data(), 2);
    std::memcpy(out + 2, kPairs[group & 4095].data(), 2);
  }
  if (i == bytes.size()) return;
  const bool two = i + 2 == bytes.size();
  const std::uint32_t group = byte(i) << 16 | (two ? byte(i + 1) << 8 : 0u);
  out[0] = kAlphabet[group >> 18 & 63];
  out[1] = kAlphabet[group >> 12 & 63];
  if (two) out[2] = kAlphabet[group >> 6 & 63];
}

std::string encode_base64(std::string_view bytes) {
  std::string text;
  append_base64(text, bytes);
  return text;
}

Result<std::string> decode_base64(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  int digits = 0, padding = 0;
  for (const char c : text) {
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const int value = value_of(c);
    if (value < 0 || padding > 0) return fail(ErrorCode::invalid, "not base64");
    group = group << 6 | static_cast<std::uint32_t>(value);
    if (++digits < 4) continue;
    bytes += static_cast<char>(group >> 16 & 255);
    bytes += static_cast<char>(group >> 8 & 255);
    bytes += static_cast<char>(group & 255);
    group = 0;
    digits = 0;
  }
  const bool padded = padding == 0 || (digits >= 2 && digits + padding == 4);
  if (digits == 1 || !padded) return fail(ErrorCode::invalid, "not base64: its length is wrong");
  if (digits >= 2) bytes += static_cast<char>(group >> (digits == 2 ? 4 : 10) & 255);
  if (digits == 3) bytes += static_cast<char>(group >> 2 & 255);
  return bytes;
}

}  // namespace stash
