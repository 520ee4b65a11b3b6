#pragma once
#include <map>
#include <string>
#include <vector>

#include "base/json.h"

/// From an installation of AppsCode's Stash to this one, on the same objects and repositories.
namespace stash::cli {

struct MigrationStep {
  std::string title;                  ///< "Stop the old operator"
  std::string why;                    ///< one sentence
  std::vector<std::string> commands;  ///< to be copied into a shell; nothing is run by us
  std::vector<std::string> by_hand;   ///< what no command is printed for, since a name would need to be quoted
  friend bool operator==(const MigrationStep&, const MigrationStep&) = default;
};

struct Migration {
  std::vector<std::string> found;        ///< what is left of AppsCode's Stash, one line each
  std::vector<MigrationStep> steps;      ///< in this order; empty: there is nothing to do
  std::vector<std::string> unsupported;  ///< objects that this Stash does not act on, with what becomes of them
  std::vector<std::string> unseen;       ///< kinds that this account may not list
};

/// Kinds that are to be listed, as arguments of `kubectl get`. Some exist with AppsCode's Stash only.
const std::vector<std::string>& migrate_kinds();

/// `lists` by those names. Pure: nothing is looked up, nothing is done.
Migration plan_migration(const std::map<std::string, Json>& lists);

Json migrate_report(const Migration& migration);
std::string render_migration(const Migration& migration, bool colours);

}  // namespace stash::cli
