#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/backup_session.h"

namespace stash::api {

/// In a session of more hosts than this each host is an object of its own (docs/decisions/0044): all hosts write when
/// the session begins and when they end, and hundreds that write into one object come to no end.
inline constexpr std::size_t kHostsInSession = 8;

/// Of the object for the upkeep of the repository: the hosts that the retention policy is applied to, those whose
/// snapshots are left alone, and how many more there should have been, whose snapshots are left alone too.
struct UpkeepHosts {
  std::vector<std::string> backed_up, left_alone;
  int unnamed = 0;
  friend bool operator==(const UpkeepHosts&, const UpkeepHosts&) = default;
};

struct BackupSessionHostSpec {
  std::string session, session_uid;
  std::string hostname;  ///< "" of the object for the upkeep
  std::optional<UpkeepHosts> upkeep{};
  friend bool operator==(const BackupSessionHostSpec&, const BackupSessionHostSpec&) = default;
};

/// A list of one entry, so that a host is claimed and written here as it is in a session.
struct BackupSessionHostStatus {
  std::vector<HostStats> stats;
  friend bool operator==(const BackupSessionHostStatus&, const BackupSessionHostStatus&) = default;
};

/// One host of a session of many hosts, or the upkeep of the repository after them. Made by the controller, owned by
/// its session. Without a status subresource: it is made with its status in one request.
struct BackupSessionHost {
  ObjectMeta metadata;
  BackupSessionHostSpec spec;
  BackupSessionHostStatus status;
  friend bool operator==(const BackupSessionHost&, const BackupSessionHost&) = default;
};

/// What both sides call the object of this host; of another session of the same name it is another one. `host` is ""
/// for the upkeep.
std::string host_object_name(std::string_view session, std::string_view session_uid, std::string_view host);
/// The same as a reference; `session` is raw.
ObjectRef host_object_ref(const Json& session, std::string_view host);

/// Whether the hosts of this session, raw, have objects of their own now.
bool has_host_objects(const Json& session);

}  // namespace stash::api
