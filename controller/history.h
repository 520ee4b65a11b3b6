#pragma once
#include <memory>
#include <vector>

#include "api/backup_session.h"
#include "base/json.h"
#include "base/time.h"

namespace stash::controller {

/// When it ended: the last point of time while it has not, and near enough for one of an older Stash that does not say.
TimePoint end_of(const api::BackupSession& session);

/// Which of these sessions of one BackupConfiguration to delete so that the newest `limit` stay (contract 13.6).
/// Never an unfinished one, and never the newest that ran to its end: the last result stays visible while the next one
/// runs. Skipped sessions are counted apart, and stay only while they are newer than the oldest kept one that ran.
std::vector<api::ObjectMeta> beyond_history(std::vector<api::BackupSession> sessions, int limit);

/// Has a newer one of the same BackupConfiguration ended, too, as this one Skipped or not? Then that one removes what
/// is too much, and speaks for the BackupConfiguration. Of raw sessions, for there may be thousands; `all` may have
/// `session` itself.
bool is_followed(const Json& session, const std::vector<std::shared_ptr<const Json>>& all);

}  // namespace stash::controller
