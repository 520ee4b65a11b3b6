#include "cli/commands.h"
#include "cli/migrate.h"
#include "cli/terminal.h"

namespace stash::cli {

Result<int> show_migration(Kubectl& kubectl, const Options& options) {
  std::map<std::string, Json> lists;
  std::vector<std::string> unseen;
  for (const std::string& kind : migrate_kinds()) {
    auto list = kubectl.list(kind, "");
    if (!list && list.error().code == ErrorCode::denied) {
      unseen.push_back(kind);
      continue;
    }
    if (!list) return std::unexpected(list.error());
    lists[kind.substr(0, kind.find('.'))] = *std::move(list);
  }
  Migration migration = plan_migration(lists);
  migration.unseen = std::move(unseen);
  if (!print_report(migrate_report(migration), options.output)) print(render_migration(migration, wants_colours()));
  return migration.unseen.empty() ? kSucceeded : kFailed;
}

}  // namespace stash::cli
