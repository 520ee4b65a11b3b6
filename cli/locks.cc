#include "cli/locks.h"

#include "cli/table.h"

namespace stash::cli {

std::string render_locks(const Json& report, bool colours, TimePoint now) {
  Table table{{"LOCK", "STATE", "HOST", "PID", "AGE", "WHY"}, {}};
  for (const auto& [state, tone] : {std::pair("removed", Tone::good), std::pair("left", Tone::busy)}) {
    for (const Json& lock : array_at(report, {state})) {
      table.rows.push_back({{string_at(lock, {"lock"}).substr(0, 8)},
                            {state, tone},
                            {string_at(lock, {"host"})},
                            {std::to_string(int_at(lock, {"pid"}))},
                            {age(string_at(lock, {"time"}), now)},
                            {string_at(lock, {"why"})}});
    }
  }
  return table.rows.empty() ? "The repository is not locked.\n" : render_table(table, colours);
}

}  // namespace stash::cli
