#pragma once
#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <thread>

#include "controller/caches.h"
#include "unit/support/api_script.h"
#include "unit/support/objects.h"

namespace stash::test {

inline std::string path_of(const api::Resource& resource) {
  return resource.group.empty() ? fmt::format("/api/{}/{}", resource.version, resource.plural)
                                : fmt::format("/apis/{}/{}/{}", resource.group, resource.version, resource.plural);
}

/// Every list has its objects, and every watch is silent.
struct ClusterScript {
  ApiScript script;

  void has(const api::Resource& resource, const std::vector<Json>& objects) {
    script.on("GET", path_of(resource), "watch=true").always().stream({}).then_hang();
    script.on("GET", path_of(resource)).always().reply(list_of(objects, "100"));
  }
  /// All that the caches list; there is nothing of the kinds that are not named.
  void has(const std::map<std::string, std::vector<Json>>& objects) {
    std::vector<api::Resource> all = {
        api::kNamespaces,       api::kRoles,          api::kRoleBindings,      api::kServiceAccounts,
        api::kRestoreSessions,  api::kCronJobs,       api::kRepositories,      api::kBackupConfigurations,
        api::kBackupBlueprints, api::kBackupSessions, api::kBackupSessionHosts};
    for (const api::WorkloadKind& kind : api::workload_kinds()) all.push_back(kind.resource);
    for (const api::Resource& resource : all) {
      const auto found = objects.find(std::string(resource.kind));
      has(resource, found == objects.end() ? std::vector<Json>() : found->second);
    }
  }
};

inline bool comes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return condition();
}

/// Its caches are those of a cluster in which there are only sessions and what belongs to them.
struct SessionsOnly {
  ClusterScript cluster;
  controller::Queues queues;
  std::optional<controller::Caches> caches;

  SessionsOnly(const std::vector<Json>& sessions, const std::vector<Json>& hosts) {
    cluster.has({{"BackupSession", sessions}, {"BackupSessionHost", hosts}});
    caches.emplace(cluster.script.config(), queues);
    caches->start();
    REQUIRE(comes_true([&] { return caches->synced(); }));
  }
};

}  // namespace stash::test
