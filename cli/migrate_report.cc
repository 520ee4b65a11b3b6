#include <fmt/format.h>

#include "cli/migrate.h"
#include "cli/table.h"

namespace stash::cli {

Json migrate_report(const Migration& migration) {
  Json steps = Json::array();
  for (const MigrationStep& step : migration.steps) {
    steps.push_back({{"title", step.title}, {"why", step.why}, {"commands", step.commands}, {"byHand", step.by_hand}});
  }
  return {{"found", migration.found},
          {"steps", std::move(steps)},
          {"unsupported", migration.unsupported},
          {"unseen", migration.unseen}};
}

std::string render_migration(const Migration& migration, bool colours) {
  std::string out;
  if (migration.found.empty()) out += "Nothing of an AppsCode installation was found.\n";
  if (!migration.found.empty()) out += painted("Found", Tone::bold, colours) + "\n";
  for (const std::string& line : migration.found) out += "  " + harmless(line) + "\n";
  std::size_t number = 0;
  for (const MigrationStep& step : migration.steps) {
    out += fmt::format("\n{}\n  {}\n", painted(fmt::format("{}. {}", ++number, step.title), Tone::bold, colours),
                       step.why);
    for (const std::string& command : step.commands) out += "    " + harmless(command) + "\n";
    for (const std::string& words : step.by_hand) out += "    by hand: " + harmless(words) + "\n";
  }
  if (!migration.unsupported.empty()) out += "\n" + painted("Not taken over", Tone::bold, colours) + "\n";
  for (const std::string& line : migration.unsupported) out += "  " + harmless(line) + "\n";
  if (!migration.unseen.empty()) {
    out += "\n" + painted("Not looked at, for this account may not list them", Tone::bold, colours) + "\n";
    for (const std::string& kind : migration.unseen) out += "  " + kind + "\n";
  }
  return out;
}

}  // namespace stash::cli
