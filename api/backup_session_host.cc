#include "api/backup_session_host.h"

#include "api/kind_codec.h"
#include "api/session_fields.h"
#include "base/hash.h"

namespace stash::api {

constexpr auto fields(Of<UpkeepHosts>) {
  return std::tuple{
      Field{"backedUp", &UpkeepHosts::backed_up, "Hosts to whose snapshots the retention policy is applied."},
      Field{"leftAlone", &UpkeepHosts::left_alone, "Hosts that failed; their snapshots stay."},
      Field{"unnamed", &UpkeepHosts::unnamed, "Nodes that no pod ran on; their snapshots stay."}};
}

constexpr auto fields(Of<BackupSessionHostSpec>) {
  return std::tuple{
      Group{"backupSession", "The BackupSession that this is a part of."},
      Field{"backupSession.name", &BackupSessionHostSpec::session, "Its name."},
      Field{"backupSession.uid", &BackupSessionHostSpec::session_uid, "Its UID."},
      Field{"hostname", &BackupSessionHostSpec::hostname, "Name of the host in restic; empty for the upkeep."},
      Field{"upkeep", &BackupSessionHostSpec::upkeep,
            "This is the upkeep of the repository, which one of the hosts does when all have ended."}};
}

constexpr auto fields(Of<BackupSessionHostStatus>) {
  return std::tuple{Field{"stats",
                          &BackupSessionHostStatus::stats,
                          "The one entry, as in status.stats of a BackupSession.",
                          {.list_key = "hostname"}}};
}

template <>
const KindFacts& facts<BackupSessionHost>() {
  static const KindFacts facts{
      .resource = kBackupSessionHosts,
      .doc =
          "A host of a BackupSession of many hosts. Made and read by Stash alone. It has no condition Ready: wait for "
          "its BackupSession.",
      .versions = {"v1beta1"},
      .short_names = {"bsh"},
      .categories = {"stash"},
      .columns = {{"BackupSession", "string", ".spec.backupSession.name"},
                  {"Host", "string", ".status.stats[0].hostname"},
                  {"Phase", "string", ".status.stats[0].phase"},
                  {"Progress", "integer", ".status.stats[0].progress.percentDone"},
                  {"Pod", "string", ".status.stats[0].claim.podName"},
                  {"Duration", "string", ".status.stats[0].duration"},
                  {"Step", "string", ".status.stats[0].progress.step", 1},
                  {"Error", "string", ".status.stats[0].error", 1}},
      .rules = {{"has(self.spec) == has(oldSelf.spec) && (!has(self.spec) || self.spec == oldSelf.spec)",
                 "BackupSessionHost spec is immutable: pods tell what they do in its status", ".spec"}},
      .status_subresource = false};
  return facts;
}

STASH_API_KIND(BackupSessionHost)

std::string host_object_name(std::string_view session, std::string_view session_uid, std::string_view host) {
  constexpr std::size_t kLongest = 253, kHash = 17;
  return fmt::format("{}-{:016x}", shorten_name(session, kLongest - kHash),
                     fnv1a(fmt::format("{}/{}", session_uid, host)));
}

ObjectRef host_object_ref(const Json& session, std::string_view host) {
  return {string_at(session, {"metadata", "namespace"}),
          host_object_name(string_at(session, {"metadata", "name"}), string_at(session, {"metadata", "uid"}), host)};
}

bool has_host_objects(const Json& session) {
  const Json* flag = at(session, {"status", "hostObjects"});
  return flag != nullptr && flag->is_boolean() && flag->get<bool>() &&
         !is_final_phase(string_at(session, {"status", "phase"}));
}

}  // namespace stash::api
