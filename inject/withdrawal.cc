#include "inject/withdrawal.h"

#include <fmt/format.h>

#include "api/names.h"
#include "base/hash.h"
#include "inject/decision.h"

namespace stash::inject {

std::string fingerprint(const Settings& settings) {
  const Json tried = {{"image", settings.image},
                      {"imagePullSecrets", settings.image_pull_secrets},
                      {"requests", settings.resources.requests},
                      {"limits", settings.resources.limits},
                      {"guaranteed", settings.resources.guaranteed}};
  return fmt::format("{:016x}", fnv1a(dump_json(tried)));
}

WithdrawalState withdrawal_of(const std::optional<api::Withdrawal>& withdrawal, const api::ObjectMeta& object,
                              const api::Repository& repository, const Settings& settings, bool nudge) {
  if (!withdrawal || withdrawal->observed_generation != object.generation ||
      withdrawal->repository_generation != repository.metadata.generation) {
    return WithdrawalState::none;
  }
  const bool same_settings = withdrawal->settings == fingerprint(settings);
  const bool retrying = withdrawal->phase == api::names::kRetrying;
  if (withdrawal->reason == code_of(Reason::workload_refused)) {
    return same_settings && !(retrying && nudge) ? WithdrawalState::held_back : WithdrawalState::none;
  }
  if (withdrawal->phase != api::names::kWithdrawn) return WithdrawalState::none;
  return same_settings ? WithdrawalState::withdrawn : WithdrawalState::renewable;
}

}  // namespace stash::inject
