#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/backup_configuration.h"
#include "api/backup_session.h"
#include "controller/limits.h"
#include "controller/obstacle.h"
#include "controller/plan.h"
#include "controller/session_hosts.h"

namespace stash::controller {

/// All that the decision about one BackupSession may look at.
struct SessionWorld {
  Json session;  ///< as with_host_objects gives it
  HostObjects host_objects;
  bool may_have_host_objects = false;         ///< BackupSessionHosts are served
  std::string objects_refused;                ///< why the API server does not make another one; "" where it may
  std::chrono::seconds upkeep_silent_for{0};  ///< time since the last sign of progress of the upkeep
  std::optional<api::BackupConfiguration> configuration;
  std::string configuration_error;                         ///< it exists but cannot be read
  std::vector<api::BackupSession> siblings;                ///< other sessions of the same BackupConfiguration
  bool followed = false;                                   ///< is_followed; then siblings may be left out
  TargetWorld target;                                      ///< empty when the configuration has no target
  std::map<std::string, std::chrono::seconds> silent_for;  ///< claimed hosts: time since the last sign of progress
  bool exec_hooks = true;                                  ///< the chart's hooks.exec
  std::string restoring;                                   ///< an unfinished RestoreSession of the same target
  bool restore_injected = false;                           ///< new pods of the target restore it
  TimePoint now{};                                         ///< of the session's own clock (session_clock.h)
  std::chrono::seconds stepped{0};                         ///< by how much the wall clock has been put forward since
  Limits limits;
  std::chrono::seconds watched_for = std::chrono::seconds::max();  ///< since this process began to look
};

/// The same when the API server has refused to make the object of a host or of the upkeep, as where a quota ends. A
/// session that has not told of such objects keeps its hosts itself. `session` is raw.
SessionWorld without_more_objects(SessionWorld world, const Json& session, std::string why);

/// Pure and total: what to write so that the session goes on, and in the end reaches a final phase whatever dies.
/// Succeeded only when every expected host is Succeeded.
Plan plan_session(const SessionWorld& world);

}  // namespace stash::controller
