#pragma once
#include <string>
#include <string_view>

#include "api/backup_session_host.h"
#include "controller/session_phase.h"
#include "controller/status_draft.h"

/// What the rules of a session's phase decide with, and the ways a session goes on or ends.
namespace stash::controller {

/// The decision while it is made: what was read, and the status and plan that grow.
struct SessionDecision {
  const SessionWorld& world;
  const api::BackupSession& session;
  Result<std::string> configuration_name;
  StatusDraft status;
  Json stats;
  Plan plan;
  int unnamed = 0;  ///< hosts that are expected and have no name yet

  /// Its hosts are objects of their own.
  bool has_host_objects() const { return api::has_host_objects(world.session) || !world.host_objects.empty(); }
  std::size_t total_hosts() const { return stats.size() + static_cast<std::size_t>(unnamed); }
  std::chrono::seconds age() const { return controller::age(session.metadata.created, world.now); }
};

std::string configuration_text(const SessionDecision& decision);

/// Puts hosts and what follows from them into the status, and the status into the plan.
void write(SessionDecision& decision);

/// No pod does the upkeep of the repository any more, either.
void end(SessionDecision& decision, std::string_view phase, std::string_view reason, std::string message);

/// Hosts that were ended just now and have objects of their own are told first, each if nothing has happened to it in
/// the meantime: then the session ends with what all of them say.
bool waits_for_hosts(SessionDecision& decision);

/// The session waits for the programs that thaw the applications of its ended hosts, so that the next one does not
/// freeze them in the meantime; not for ever.
bool waits_for_thaws(SessionDecision& decision);

/// For hosts that were Failed just now.
void thaw_failed_hosts(SessionDecision& decision);

void fail_session(SessionDecision& decision, std::string_view reason, std::string message);
void skip(SessionDecision& decision, std::string_view reason, std::string message);

}  // namespace stash::controller
