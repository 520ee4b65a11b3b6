#pragma once
#include <string>
#include <string_view>

namespace stash::webhook {

/// "" when the CronJob controller will understand the schedule, else a sentence that names the wrong part. Five fields
/// or a word such as @daily; as CronJob validation, it takes no TZ= prefix.
/// https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
std::string schedule_error(std::string_view schedule);

}  // namespace stash::webhook
