#pragma once
#include <string>
#include <string_view>

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

  std::size_t total_hosts() const { return stats.size() + static_cast<std::size_t>(unnamed); }
  std::chrono::seconds age() const { return controller::age(session.metadata.created, world.now); }
};

std::string configuration_text(const SessionDecision& decision);

/// Puts hosts and what follows from them into the status, and the status into the plan.
void write(SessionDecision& decision);

void end(SessionDecision& decision, std::string_view phase, std::string_view reason, std::string message);

/// The session waits for the programs that thaw the applications of its ended hosts, so that the next one does not
/// freeze them in the meantime; not for ever.
bool waits_for_thaws(SessionDecision& decision);

/// For hosts that were Failed just now.
void thaw_failed_hosts(SessionDecision& decision);

void fail_session(SessionDecision& decision, std::string_view reason, std::string message);
void skip(SessionDecision& decision, std::string_view reason, std::string message);

}  // namespace stash::controller
