#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/backup_configuration.h"
#include "api/repository.h"
#include "api/restore_session.h"
#include "inject/settings.h"
#include "inject/shared_configuration.h"

namespace stash::inject {

/// Why something that was asked for is not injected. One table of code (condition reason, metric label) and sentence.
enum class Reason {
  repository_missing,
  secret_name_missing,
  secret_missing,
  backend_unsupported,
  driver_unsupported,
  container_name_taken,
  pod_security,
  volume_missing,
  mount_path_taken,
  too_large,
  namespace_not_opted_in,
  target_is_job_model,
  malformed,
  workload_being_deleted,
  superseded,
  volume_name_taken,
  windows_pod,
  managed_by_owner,
  shared_sidecar,
  repository_not_durable,
  volume_not_shared,
  invalid,
  claim_missing,
  host_path_not_allowed,
  pods_refused,
  image_pull_failed,
  volume_mount_failed,
  pods_unschedulable,
  workload_refused,
  sidecar_start_failed,
  volume_is_device,
};
std::string_view code_of(Reason reason);  ///< "RepositoryMissing"

struct Finding {
  Reason reason;
  std::string object;   ///< "BackupConfiguration demo/web"
  std::string message;  ///< what, where and the remedy, for webhook warnings, conditions and events
  friend bool operator==(const Finding&, const Finding&) = default;
};

using SharedRepository = std::shared_ptr<const api::Repository>;  ///< null: there is none

/// Everything the decision about one workload may look at; gathered from caches by webhook and controller alike.
struct World {
  std::string group, kind;         ///< of the workload: "apps", "Deployment"
  const Json* workload = nullptr;  ///< as the user wants it to be; not null
  std::size_t part_of = 0;         ///< bytes, at most, of the text that this is a part of (skim.h); 0: it is whole
  std::string ns;                  ///< namespace (metadata.namespace may be empty inside a review)
  Json namespace_labels = Json::object();
  std::vector<SharedConfiguration> configurations;  ///< of the namespace: at least all that name it
  std::vector<api::RestoreSession> restores;        ///< the same
  std::function<SharedRepository(const std::string& name)> repository;
  bool upgrade = false;  ///< image and default resources are to come now, not with the next rollout
  bool nudge = false;    ///< the write is the controller's own: what was refused before may be tried (withdrawal.h)
};

/// A BackupConfiguration of the workload with its Repository.
struct Served {
  SharedConfiguration configuration;
  SharedRepository repository;                       ///< null: it cannot be injected now, a finding says why
  std::shared_ptr<const RepositoryVolumes> volumes;  ///< of the repository
  bool must_go = false;    ///< and with a container for it the pods could not be made or started
  bool held_back = false;  ///< a change of it was refused; the container that is there works for it
};

/// Which objects the pod should carry a container for. One without its Repository serves the workload but cannot be
/// injected now (a finding says why), or needs no more (a restore that succeeded): a container that is there for it
/// already stays as it is, for taking it away or changing it would restart the pods for nothing.
struct Desired {
  std::vector<Served> backups;  ///< oldest first; one sidecar serves them all
  std::optional<api::RestoreSession> restore;
  SharedRepository restore_repository;
  std::shared_ptr<const RepositoryVolumes> restore_volumes;  ///< of restore_repository
  /// The init container that is there has not done its work yet: it stays until another one can take its place, for
  /// without it the application would start on half-restored data.
  bool restore_at_work = false;
  /// The sidecar that is there kept pods from running, and another image or other resources are to be had: what
  /// otherwise waits for a rollout comes now.
  bool renew = false;
  std::vector<Finding> findings;
  std::vector<Finding> remarks;  ///< what works, but not quite as asked for
};

/// Group and kind and name decide a match, the version does not (contract Q8). All BackupConfigurations are served. Of
/// several RestoreSessions the newest that is not Succeeded; one that is older than a succeeded one is superseded, for
/// it would put older data over newer (contract 10.1, Q17). A newer one takes the place of one at work only when it can
/// be injected and the controller has accepted it. A Succeeded one stays while it is injected, and so does one that
/// failed: that one does not begin anew with a later update of the workload. One that an older Stash ended, in whatever
/// way, never begins again. What is Invalid by its own spec (configuration_rules.h, restore_rules.h) is not injected,
/// for the pods would restart for nothing. A Repository whose status has BackendSecretFound=False for its current
/// generation is not injected: a pod must not wait for a Secret that is not there. With BackendClaimFound=False a
/// sidecar that is there goes too, for its pods could not be scheduled (one that runs keeps its claim). So does one
/// that the controller has withdrawn, while one that it holds back stays as it is (withdrawal.h). Pure and total.
Desired decide(const World& world, const Settings& settings);

/// Does this target name that workload?
bool names_workload(const api::TargetRef& ref, std::string_view group, std::string_view kind, std::string_view name);

}  // namespace stash::inject
