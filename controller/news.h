#pragma once
#include <string>
#include <vector>

#include "base/json.h"

/// What of a change somebody waits for. The rest, as how far a pod has come, how large a repository is, or what this
/// process wrote itself, can wait until more of it has come: one look then sees all of it.
namespace stash::controller {

/// Of what decisions read at most the status differs.
bool same_but_for_status(const Json& before, const Json& after);

/// A host of this BackupSession has ended, asks for a hook, or its hook has come further.
bool have_hosts_told(const Json& before, const Json& after);
/// A BackupSession: that, or anything but its status.
bool is_news_of_session(const Json& before, const Json& after);
/// A Repository: anything but the numbers in the status of one that stays.
bool is_news_of_repository(const Json& before, const Json& after);
/// A BackupConfiguration: anything but its status; of that, only the withdrawal is read by others.
bool is_news_of_configuration(const Json& before, const Json& after);

/// UIDs of the pods that have work, by the host entries of a session or of a BackupSessionHost.
std::vector<std::string> working_pods(const Json& object);

}  // namespace stash::controller
