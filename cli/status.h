#pragma once
#include <string>

#include "base/json.h"
#include "base/time.h"

namespace stash::cli {

/// Lists of objects as the API server has them.
struct StatusWorld {
  Json configurations = Json::array(), sessions = Json::array(), restores = Json::array(), repositories = Json::array();
};

/// What `kubectl stash status -o json` prints: backups, one for each BackupConfiguration with its newest session
/// and the newest that ran, and restores. `only` names one BackupConfiguration; then the restores are those of its
/// Repository.
Json status_report(const StatusWorld& world, const std::string& only = "");

/// The same for people. Under the table stands what is wrong, with what to do, as the conditions say it.
std::string render_status(const Json& report, bool all_namespaces, bool colours, TimePoint now);

/// True when a backup or restore of the report is in trouble: not Ready, its last session that
/// ran Failed, its Repository is damaged, or no newer restore has taken the place of one that Failed.
bool in_trouble(const Json& report);

}  // namespace stash::cli
