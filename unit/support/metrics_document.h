#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace stash::test {

/// docs/metrics.md has a row "| `name` | type | labels | help |" for every metric. Of the families in `exposition`
/// (Prometheus' text format, with at least one line of each): those whose row is missing or says something else, as the
/// row that it should be. With UPDATE_GOLDEN=1 (make golden) a row that says something else is rewritten and not
/// returned.
std::vector<std::string> wrong_rows(std::string_view exposition);

}  // namespace stash::test
