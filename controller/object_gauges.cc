#include "controller/object_gauges.h"

#include "api/codec.h"
#include "controller/cron_job.h"

namespace stash::controller {
namespace {

using SessionsByName = std::map<api::ObjectRef, std::vector<api::BackupSession>>;

SessionsByName by_configuration(const kube::Cache& cache) {
  SessionsByName sessions;
  for (const kube::Cache::Object& object : cache.list()) {
    auto session = api::decode<api::BackupSession>(*object);
    const std::string name = session ? api::configuration_of(*session).value_or("") : "";
    if (!name.empty()) sessions[{session->metadata.ns, name}].push_back(*std::move(session));
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
  SessionsByName sessions = by_configuration(caches.sessions);
  for (const kube::Cache::Object& object : caches.configurations.list()) {
    const api::BackupConfiguration configuration = readable(*object);
    const auto cron_job = caches.cron_jobs.get({configuration.metadata.ns, cron_job_name(configuration.metadata.name)});
    gauges.backups.push_back(
        gauges_of(configuration, sessions[configuration.metadata.ref()], cron_job ? *cron_job : Json(), now));
  }
  for (const kube::Cache::Object& object : caches.repositories.list()) {
    if (const auto repository = api::decode<api::Repository>(*object)) {
      gauges.repositories.push_back(gauges_of(*repository));
    }
  }
  return gauges;
}

}  // namespace stash::controller
