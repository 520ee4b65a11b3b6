#include "controller/upkeep_conditions.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "controller/hosts.h"
#include "controller/reasons.h"

namespace stash::controller {
namespace {

namespace names = api::names;

constexpr std::string_view kTypes[] = {names::kRepositoryInitialized, names::kIntegrityVerified,
                                       names::kRetentionPolicyApplied, names::kRepositoryMetricsPushed};

struct Told {
  const std::string* host = nullptr;
  const api::Condition* condition = nullptr;
};

bool outranks(const api::Condition& later, const api::Condition& earlier) {
  if (later.type == names::kRepositoryInitialized && later.status != earlier.status) return later.status == "True";
  return later.last_transition > earlier.last_transition;
}

Told last_told(const std::vector<api::HostStats>& hosts, std::string_view type) {
  Told last;
  for (const api::HostStats& host : hosts) {
    const api::Condition* said = api::find_condition(host.conditions, type);
    if (said && (!last.condition || outranks(*said, *last.condition))) last = {&host.hostname, said};
  }
  return last;
}

}  // namespace

void set_upkeep_conditions(StatusDraft& status, const std::vector<api::HostStats>& hosts) {
  for (const std::string_view type : kTypes) {
    const auto [host, said] = last_told(hosts, type);
    if (!said) continue;
    status.set(type, said->status, said->reason,
               hosts.size() > 1 ? fmt::format("{}: {}", *host, said->message) : said->message);
  }
}

void set_upkeep_missed(StatusDraft& status, const std::vector<api::HostStats>& hosts, bool by_controller) {
  // Whoever did the upkeep has told that there is a repository.
  const Told found = last_told(hosts, names::kRepositoryInitialized);
  if (found.condition && found.condition->status == "True") return;
  int succeeded = 0;
  for (const api::HostStats& host : hosts) {
    if (host.phase != kHostSucceeded) continue;
    // A sidecar of an older release does it for each host, and tells nothing.
    if (!host.backed_up && !by_controller) return;
    ++succeeded;
  }
  if (succeeded == 0) return;
  status.set(names::kRetentionPolicyApplied, "False", reasons::kRetentionNotApplied,
             "no pod applied it: none was left after the last hosts of this session had ended, or the one that had to "
             "failed, as its host says; the next session does");
}

}  // namespace stash::controller
