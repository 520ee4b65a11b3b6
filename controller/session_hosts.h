#pragma once
#include <memory>
#include <vector>

#include "base/json.h"
#include "controller/plan.h"

/// A session of many hosts (api/backup_session_host.h): its hosts are objects of their own until it ends. The rules of
/// a session know nothing of that: they see the entries in status.stats, and what they write there is spread over the
/// objects.
namespace stash::controller {

using HostObjects = std::vector<std::shared_ptr<const Json>>;

/// `session`, raw, with the entries of its hosts in status.stats, ordered by hostname.
Json with_host_objects(const Json& session, const HostObjects& objects);

/// Those of `objects` that are of `session`: by their names, which nobody can change, for a pod may write into all of
/// its namespace. None where the session keeps its hosts itself, as when the API server would make no more objects.
HostObjects hosts_among(const Json& session, HostObjects objects);

/// The one for the upkeep of the repository; null when there is none.
const Json* upkeep_object(const HostObjects& objects);

/// The one entry of a BackupSessionHost; empty when it has none.
const Json& entry_in(const Json& object);

/// A BackupSessionHost of `session`. `spec` is the part of its spec beside the session.
Json host_object(const Json& session, const std::string& host, const Json& spec, const Json& entry);

/// Makes of the write of `session`'s status in `plan`, if there is one, what belongs to the hosts' objects: those that
/// are missing are made, changed ones patched, all before the session. The session keeps the entries only when it ends.
/// `session` is the one that was planned with; it begins to have host objects here when it has many hosts, named or
/// not, none is stamped yet, and it `may_begin`.
void spread_hosts(Plan& plan, const Json& session, const HostObjects& objects, bool may_begin);

}  // namespace stash::controller
