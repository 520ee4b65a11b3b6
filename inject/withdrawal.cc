#include "inject/withdrawal.h"

#include <fmt/format.h>

#include "api/names.h"
#include "base/hash.h"

namespace stash::inject {

std::string fingerprint(const Settings& settings) {
  const Json tried = {{"image", settings.image},
                      {"imagePullSecrets", settings.image_pull_secrets},
                      {"requests", settings.resources.requests},
                      {"limits", settings.resources.limits},
                      {"guaranteed", settings.resources.guaranteed}};
  return fmt::format("{:016x}", fnv1a(dump_json(tried)));
}

WithdrawalState withdrawal_of(const api::BackupConfiguration& configuration, const api::Repository& repository,
                              const Settings& settings) {
  const auto& withdrawal = configuration.status.withdrawal;
  if (!withdrawal || withdrawal->phase != api::names::kWithdrawn ||
      withdrawal->observed_generation != configuration.metadata.generation ||
      withdrawal->repository_generation != repository.metadata.generation) {
    return WithdrawalState::none;
  }
  return withdrawal->settings == fingerprint(settings) ? WithdrawalState::withdrawn : WithdrawalState::renewable;
}

}  // namespace stash::inject
