#include "controller/session_hosts.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "api/backup_session_host.h"
#include "api/meta.h"
#include "api/names.h"

namespace stash::controller {
namespace {

bool is_upkeep(const Json& object) { return at(object, {"spec", "upkeep"}) != nullptr; }

bool is_status_of(const Write& write, const api::ObjectRef& session) {
  return write.resource == api::kBackupSessions && write.ref == session && write.subresource == "status" &&
         write.verb == Write::Verb::merge_patch;
}

/// What each changed entry becomes.
std::vector<Write> writes_of_hosts(const Json& session, const HostObjects& objects, const Json& entries) {
  std::map<std::string, const Json*> by_host;
  for (const auto& object : objects) {
    if (!is_upkeep(*object)) by_host[string_at(entry_in(*object), {"hostname"})] = object.get();
  }
  Plan plan;
  for (const Json& entry : entries) {
    const std::string host = string_at(entry, {"hostname"});
    const auto found = by_host.find(host);
    if (found == by_host.end()) {
      create_object(plan, api::kBackupSessionHosts, host_object(session, host, {{"hostname", host}}, entry));
    } else if (entry_in(*found->second) != entry) {
      write_patch(plan, api::kBackupSessionHosts, *found->second, {{"status", {{"stats", Json::array({entry})}}}});
    }
  }
  return std::move(plan.writes);
}

}  // namespace

Json with_host_objects(const Json& session, const HostObjects& objects) {
  Json whole = session;
  std::vector<const Json*> entries;
  for (const auto& object : objects) {
    if (!is_upkeep(*object) && !array_at(*object, {"status", "stats"}).empty()) entries.push_back(&entry_in(*object));
  }
  if (entries.empty()) return whole;
  std::ranges::sort(entries, {}, [](const Json* entry) { return string_at(*entry, {"hostname"}); });
  Json stats = Json::array();
  for (const Json* entry : entries) stats.push_back(*entry);
  whole["status"]["stats"] = std::move(stats);
  return whole;
}

HostObjects hosts_among(const Json& session, HostObjects objects) {
  if (!api::has_host_objects(session) && !array_at(session, {"status", "stats"}).empty()) return {};
  std::erase_if(objects, [&session](const auto& object) {
    const std::string host = is_upkeep(*object) ? "" : string_at(entry_in(*object), {"hostname"});
    return string_at(*object, {"metadata", "name"}) != api::host_object_ref(session, host).name;
  });
  return objects;
}

const Json* upkeep_object(const HostObjects& objects) {
  const auto found = std::ranges::find_if(objects, [](const auto& object) { return is_upkeep(*object); });
  return found == objects.end() ? nullptr : found->get();
}

const Json& entry_in(const Json& object) {
  static const Json none = Json::object();
  const Json& stats = array_at(object, {"status", "stats"});
  return stats.empty() ? none : stats.front();
}

Json host_object(const Json& session, const std::string& host, const Json& spec, const Json& entry) {
  const api::ObjectRef ref = api::host_object_ref(session, host);
  const std::string name = string_at(session, {"metadata", "name"}), uid = string_at(session, {"metadata", "uid"});
  Json whole_spec = {{"backupSession", {{"name", name}, {"uid", uid}}}};
  whole_spec.update(spec);
  return {{"apiVersion", api::kBackupSessionHosts.api_version()},
          {"kind", api::kBackupSessionHosts.kind},
          {"metadata",
           {{"name", ref.name},
            {"namespace", ref.ns},
            {"labels", {{std::string(api::names::kManagedByLabel), std::string(api::names::kManagedBy)}}},
            {"ownerReferences", Json::array({{{"apiVersion", api::kBackupSessions.api_version()},
                                              {"kind", api::kBackupSessions.kind},
                                              {"name", name},
                                              {"uid", uid},
                                              {"controller", true},
                                              {"blockOwnerDeletion", false}}})}}},
          {"spec", std::move(whole_spec)},
          {"status", {{"stats", Json::array({entry})}}}};
}

void spread_hosts(Plan& plan, const Json& session, const HostObjects& objects, bool may_begin) {
  const api::ObjectRef ref = api::meta_of(session).ref();
  const auto write = std::ranges::find_if(plan.writes, [&ref](const Write& each) { return is_status_of(each, ref); });
  if (write == plan.writes.end()) return;
  Json& status = write->body["status"];
  const Json& before = array_at(session, {"status", "stats"});
  const bool told = status.contains("stats");
  const auto named = static_cast<std::int64_t>((told ? array_at(status, {"stats"}) : before).size());
  // Nodes that have no pod yet have no entry, but will.
  const auto total = std::max(named, int_at(status, {"totalHosts"}));
  const bool begins = may_begin && before.empty() && named > 0 && !api::has_host_objects(session) &&
                      total > static_cast<std::int64_t>(api::kHostsInSession);
  if (!begins && !api::has_host_objects(session) && objects.empty()) return;
  const Json entries = told ? status["stats"] : before;

  // The one copy of hundreds of results is enough.
  const bool ends = api::is_final_phase(string_at(status, {"phase"}));
  if (Json& targets = status["targets"]; ends && targets.is_array()) {
    for (Json& target : targets) target.erase("stats");
  } else {
    status.erase("targets");
  }
  if (ends) {
    status["stats"] = entries;
    return;
  }
  status.erase("stats");
  if (!api::has_host_objects(session)) status["hostObjects"] = true;
  std::vector<Write> hosts = writes_of_hosts(session, objects, entries);
  const bool idle = status.empty();
  auto position = write - plan.writes.begin();
  if (idle) plan.writes.erase(write);
  plan.writes.insert(plan.writes.begin() + position, std::make_move_iterator(hosts.begin()),
                     std::make_move_iterator(hosts.end()));
}

}  // namespace stash::controller
