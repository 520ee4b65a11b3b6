#pragma once
#include "sidecar/context.h"
#include "unit/support/api_script.h"
#include "unit/support/fake_clock.h"
#include "unit/support/fake_restic.h"
#include "unit/support/objects.h"

namespace stash::test {

/// A pod of Deployment stash-demo in namespace demo, with a scripted API server, a fake restic and a clock that goes on
/// ten seconds whenever somebody asks whether to stop.
struct Story {
  FakeRestic restic;
  FakeClock clock;
  ApiScript script;
  kube::Api api{script.config()};
  TemporaryDirectory volume;  ///< the data, and the repository's directory
  bool stop = false;
  std::function<bool()> stop_when = [] { return false; };
  std::vector<std::chrono::milliseconds> pauses;
  sidecar::Context context{.api = api,
                           .pod = {"app-6f-x", "uid-pod", "demo", "node-1"},
                           .restic = restic.place(),
                           .metrics = false,
                           .pushgateway_url = "",
                           .clock = clock,
                           .stop =
                               [this] {
                                 clock.advance(std::chrono::seconds(10));
                                 return stop || stop_when();
                               },
                           .pause = [this](std::chrono::milliseconds time) { pauses.push_back(time); }};

  static constexpr const char* kSessionPath = "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessions";
  static constexpr const char* kRepositoryPath = "/apis/stash.appscode.com/v1alpha1/namespaces/demo/repositories/repo";

  static constexpr const char* kConfiguration =
      "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupconfigurations/app-backup";

  /// Whenever somebody looks at it again.
  void stays(const api::BackupConfiguration& configuration) {
    Json json = api::encode(configuration);
    json["metadata"]["uid"] = configuration.metadata.uid;
    script.on("GET", kConfiguration).always().reply(json);
  }
  std::string data() const { return volume / "data"; }
  std::string repository_directory() const { return volume / "repo"; }

  RepositoryBuilder a_repository_here() const {
    return a_repository().with(
        [this](api::Repository& repository) { repository.spec.backend.local->mount_path = repository_directory(); });
  }
  /// Nothing is due but the backup.
  RepositoryBuilder a_checked_repository_here() const {
    return a_repository_here().with([this](api::Repository& repository) {
      repository.status.integrity = true;
      repository.status.last_check_time = clock.now();
    });
  }
  BackupConfigurationBuilder a_configuration_here() const {
    return a_backup_configuration().paths({data()}).mounts({{"source-data", volume.path(), ""}});
  }

  static api::HostStats running_here() {
    api::HostStats host;
    host.hostname = "host-0";
    host.phase = "Running";
    host.claim = api::Claim{"app-6f-x", "uid-pod", kCreated};
    return host;
  }
};

/// The value written by the patch operation on the host's whole entry: the result.
inline Json result_in(const std::vector<ApiScript::Call>& calls) {
  for (const auto& call : calls) {
    if (call.method != "PATCH") continue;
    for (const Json& operation : call.json()) {
      // A Repository's status is patched as well.
      if (string_at(operation, {"op"}) == "replace" && string_at(operation, {"path"}).starts_with("/status/stats/"))
        return operation["value"];
    }
  }
  return nullptr;
}

inline std::string text_of(const std::vector<ApiScript::Call>& calls) {
  std::string text;
  for (const auto& call : calls) text += call.method + " " + call.target + "\n" + call.body + "\n";
  return text;
}

}  // namespace stash::test
