#include <fmt/format.h>

#include <algorithm>

#include "api/codec.h"
#include "api/last_sign.h"
#include "api/mass_deletion.h"
#include "api/resource.h"
#include "cli/doctor_world.h"
#include "cli/not_taken_over.h"
#include "cli/object.h"
#include "cli/progress.h"
#include "cli/table.h"

/// What nobody will finish or remove.
namespace stash::cli {

namespace {

/// spec.timeOut of its BackupConfiguration; "" where that is not known.
std::string time_out_of(const DoctorWorld& world, const api::BackupSession& session) {
  const auto name = api::configuration_of(session);
  const Json* configuration =
      name ? find_named(list_of(world, "backupconfigurations"), *name, session.metadata.ns) : nullptr;
  return configuration == nullptr ? "" : string_at(*configuration, {"spec", "timeOut"});
}

/// nullopt where it is not known, or the session has ended.
std::optional<TimePoint> last_sign_of(const DoctorWorld& world, const Json& object) {
  if (is_over(string_at(object, {"status", "phase"}))) return std::nullopt;
  const auto session = api::decode<api::BackupSession>(object);
  if (!session) return api::meta_of(object).created;
  return api::last_sign(*session, time_out_of(world, *session));
}

}  // namespace

void check_stale(const DoctorWorld& world, Checks& checks) {
  constexpr std::string_view kArea = "stale";
  if (!readable(world, kArea, {"backupsessions", "restoresessions", "cronjobs"}, checks)) return;
  bool good = true;
  for (const Json& session : list_of(world, "backupsessions")) {
    const auto last = last_sign_of(world, session);
    if (!last || world.now - *last < api::kAbandoned) continue;
    good = false;
    wrong(checks, Check::Level::problem, kArea,
          fmt::format("BackupSession {} has not ended, and nobody has touched it for {}", ref_of(session),
                      age(*last, world.now)),
          fmt::format("see to it that stash-controller runs; then kubectl delete backupsession {} -n {}",
                      name_of(session), ns_of(session)));
  }
  for (const Json& cron_job : list_of(world, "cronjobs")) {
    for (const Json& owner : array_at(cron_job, {"metadata", "ownerReferences"})) {
      if (string_at(owner, {"kind"}) != api::kBackupConfigurations.kind) continue;
      const std::string name = string_at(owner, {"name"});
      if (world.unreadable.contains("backupconfigurations") ||
          find_named(list_of(world, "backupconfigurations"), name, ns_of(cron_job)) != nullptr) {
        continue;
      }
      good = false;
      wrong(checks, Check::Level::warning, kArea,
            fmt::format("CronJob {} belongs to BackupConfiguration {}, which is gone", ref_of(cron_job), name),
            fmt::format("kubectl delete cronjob {} -n {}", name_of(cron_job), ns_of(cron_job)));
    }
  }
  for (const auto* list : {"repositories", "backupconfigurations", "restoresessions"}) {
    for (const Json& object : list_of(world, list)) {
      // A held one waits for a word, as the backends' check says.
      if (string_at(object, {"metadata", "deletionTimestamp"}).empty() || api::is_held(object)) continue;
      good = false;
      wrong(checks, Check::Level::warning, kArea,
            fmt::format("{} {} is being deleted since {}", string_at(object, {"kind"}), ref_of(object),
                        string_at(object, {"metadata", "deletionTimestamp"})),
            fmt::format("its finalizers wait: kubectl get {} {} -n {} -o jsonpath='{{.metadata.finalizers}} "
                        "{{.status.conditions}}'",
                        list, name_of(object), ns_of(object)));
    }
  }
  for (std::string& line : other_backups(world.lists)) {
    good = false;
    wrong(checks, Check::Level::warning, kArea, std::move(line),
          "kubectl stash migrate says what else AppsCode's Stash left behind; delete the object when nobody needs it");
  }
  if (good) well(checks, kArea, "no object was left behind");
}

}  // namespace stash::cli
