#include "cli/complaints.h"

#include <algorithm>

#include "api/names.h"
#include "inject/decision.h"

namespace stash::cli {

namespace {

/// False is good news, or no news at all.
constexpr std::string_view kNeutral[] = {api::names::kCompleted, api::names::kBackupSkipped,
                                         api::names::kLocationShared, api::names::kDeadlineExceeded};
/// Backups go on without.
constexpr std::string_view kMild[] = {api::names::kFieldsHonoured, api::names::kRepositoryMetricsPushed};

template <class List>
bool holds(const List& list, const std::string& type) {
  return std::ranges::find(list, type) != std::end(list);
}

}  // namespace

std::vector<Complaint> complaints_of(const Json& object) {
  std::vector<Complaint> complaints;
  std::optional<Complaint> not_ready;
  for (const Json& condition : array_at(object, {"status", "conditions"})) {
    Complaint complaint{.type = string_at(condition, {"type"}),
                        .reason = string_at(condition, {"reason"}),
                        .message = string_at(condition, {"message"})};
    const bool is_false = string_at(condition, {"status"}) == "False";
    // The sidecar is there, and more pods with it are refused.
    const bool refused = !is_false && complaint.reason == inject::code_of(inject::Reason::pods_refused);
    if ((!is_false && !refused) || holds(kNeutral, complaint.type)) continue;
    complaint.grave = is_false && !holds(kMild, complaint.type);
    if (complaint.type == api::names::kReady) {
      not_ready = std::move(complaint);
      continue;
    }
    const bool told =
        std::ranges::any_of(complaints, [&](const Complaint& other) { return other.message == complaint.message; });
    if (!told) complaints.push_back(std::move(complaint));
  }
  if (not_ready && std::ranges::none_of(complaints, &Complaint::grave)) complaints.push_back(*std::move(not_ready));
  return complaints;
}

}  // namespace stash::cli
