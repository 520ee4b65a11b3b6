#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace stash {

inline constexpr std::uint64_t kFnv1aOfNothing = 0xcbf29ce484222325u;

/// 64-bit FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/) of the bytes, behind those of which `before` is the hash.
std::uint64_t fnv1a(std::string_view bytes, std::uint64_t before = kFnv1aOfNothing);

/// At most `limit` bytes, always the same for the same input, and a valid DNS label when `name` is one apart from its
/// length: short names come back unchanged, long ones are cut and end in "-" and 8 hex digits of their hash.
std::string shorten_name(std::string_view name, std::size_t limit);

/// The same without dots: dashes stand in their places, and the hash of `name` follows, for "a.b" and "a-b" are two.
std::string undotted_name(std::string_view name, std::size_t limit);

}  // namespace stash
