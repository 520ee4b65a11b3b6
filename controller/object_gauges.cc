#include "controller/object_gauges.h"

#include "api/codec.h"
#include "controller/cron_job.h"

namespace stash::controller {
namespace {

std::vector<api::BackupSession> readable_sessions(const Caches& caches, const api::ObjectRef& configuration) {
  std::vector<api::BackupSession> sessions;
  for (const Caches::Object& object : caches.sessions_of(configuration)) {
    if (auto session = api::decode<api::BackupSession>(*object)) sessions.push_back(*std::move(session));
  }
  return sessions;
}

/// One that cannot be read is told too: it has a name, an age, and no backup.
api::BackupConfiguration readable(const Json& object) {
  auto configuration = api::decode<api::BackupConfiguration>(object);
  if (configuration) return *std::move(configuration);
  return {.metadata = api::meta_of(object)};
}

}  // namespace

ObjectGauges gather_gauges(Caches& caches, TimePoint now) {
  ObjectGauges gauges;
  if (!caches.synced()) return gauges;
  caches.configurations.for_each("", [&](const api::ObjectRef& ref, const Json& object) {
    const auto cron_job = caches.cron_jobs.get({ref.ns, cron_job_name(ref.name)});
    gauges.backups.push_back(
        gauges_of(readable(object), readable_sessions(caches, ref), cron_job ? *cron_job : Json(), now));
  });
  caches.repositories.for_each("", [&](const api::ObjectRef&, const Json& object) {
    if (const auto repository = api::decode<api::Repository>(object)) {
      gauges.repositories.push_back(gauges_of(*repository));
    }
  });
  return gauges;
}

}  // namespace stash::controller
