#pragma once
#include <string_view>

namespace stash::controller {

/// At most `limit` bytes of `text`, never ending in the middle of a character.
std::string_view first_bytes(std::string_view text, std::size_t limit);

}  // namespace stash::controller
