#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace stash::cli {

/// A unified diff of two texts, line by line, with `context` lines around each change; "" when they are equal. Without
/// the two lines that name files. Texts without anything in common beyond 4,000 lines are shown as removed and added.
std::string unified_diff(std::string_view before, std::string_view after, std::size_t context = 3);

/// Added lines green, removed ones red, the positions faint.
std::string painted_diff(std::string_view diff, bool colours);

}  // namespace stash::cli
