#include "base/hash.h"

#include <fmt/format.h>

#include <algorithm>

namespace stash {
namespace {

/// `kept` as far as there is room for it, then the hash of `hashed`.
std::string with_hash(std::string_view kept, std::string_view hashed, std::size_t limit) {
  const std::uint64_t hash = fnv1a(hashed);
  const std::string digits = fmt::format("{:08x}", static_cast<std::uint32_t>(hash ^ hash >> 32));
  const std::size_t tail = digits.size() + 1;
  kept = kept.substr(0, limit > tail ? limit - tail : 0);
  while (!kept.empty() && (kept.back() == '-' || kept.back() == '.')) kept.remove_suffix(1);
  if (kept.empty()) return digits.substr(0, limit);
  return fmt::format("{}-{}", kept, digits);
}

}  // namespace

std::uint64_t fnv1a(std::string_view bytes, std::uint64_t before) {
  std::uint64_t hash = before;
  for (const char c : bytes) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3u;
  }
  return hash;
}

std::string shorten_name(std::string_view name, std::size_t limit) {
  return name.size() <= limit ? std::string(name) : with_hash(name, name, limit);
}

std::string undotted_name(std::string_view name, std::size_t limit) {
  if (name.find('.') == std::string_view::npos) return shorten_name(name, limit);
  std::string plain(name);
  std::ranges::replace(plain, '.', '-');
  return with_hash(plain, name, limit);
}

}  // namespace stash
