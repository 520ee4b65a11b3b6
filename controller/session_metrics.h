#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/backup_configuration.h"
#include "api/restore_session.h"
#include "base/json.h"

/// What is said about whole sessions at the Pushgateway (contract 11.7), and what has to go from there. Hosts push for
/// themselves, to groups of {job = name of the BackupConfiguration or RestoreSession, namespace, hostname}.
namespace stash::controller {

/// One group of the Pushgateway. Not grouped by "name", which is a label of the metrics: the target's.
struct PushedGroup {
  std::string job, ns;
  std::string label, value;  ///< "invoker" and its name of a session's, "hostname" and the host of a host's
  friend auto operator<=>(const PushedGroup&, const PushedGroup&) = default;
};
std::string group_url(std::string_view pushgateway, const PushedGroup& group);

PushedGroup backup_group(const std::string& ns, const std::string& configuration);
PushedGroup restore_group(const std::string& ns, const std::string& session);

/// nullopt while there is nothing to tell: it has not ended, or was skipped.
std::optional<std::string> render_session_metrics(const api::BackupSession& session,
                                                  const api::BackupConfiguration& configuration);
std::optional<std::string> render_session_metrics(const api::RestoreSession& session);

using HostsOfConfigurations = std::map<std::string, std::set<std::string>>;
/// The hosts, per "ns/name" of a BackupConfiguration, that a backup still has: those of its newest session with a
/// result and of any that is newer, for their hosts may push before their session has its result. No entry: nobody
/// knows.
HostsOfConfigurations hosts_still_backed_up(const std::vector<api::BackupSession>& sessions);

/// "ns/name" of what exists.
struct Living {
  std::set<std::string> configurations, restores;
  HostsOfConfigurations hosts;
};
/// Whether the object is there that a group of ours tells about, and, of a host's group, the host.
bool is_living(const PushedGroup& group, const Living& living);
/// Groups of ours, out of the Pushgateway's answer to GET /api/v1/metrics, whose object is gone, and those of hosts
/// that their configuration has no more. What others pushed is left alone: ours have these labels and only metrics that
/// begin with "stash_". https://github.com/prometheus/pushgateway#query-api
std::vector<PushedGroup> stale_groups(const Json& answer, const Living& living);
/// All groups of ours in that answer.
std::vector<PushedGroup> our_groups(const Json& answer);

}  // namespace stash::controller
