#include "base/hash.h"

#include <fmt/format.h>

namespace stash {

std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : bytes) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3u;
  }
  return hash;
}

std::string shorten_name(std::string_view name, std::size_t limit) {
  if (name.size() <= limit) return std::string(name);
  const std::uint64_t hash = fnv1a(name);
  const std::string digits = fmt::format("{:08x}", static_cast<std::uint32_t>(hash ^ hash >> 32));
  const std::size_t tail = digits.size() + 1;
  std::string_view kept = name.substr(0, limit > tail ? limit - tail : 0);
  while (!kept.empty() && (kept.back() == '-' || kept.back() == '.')) kept.remove_suffix(1);
  if (kept.empty()) return digits.substr(0, limit);
  return fmt::format("{}-{}", kept, digits);
}

}  // namespace stash
