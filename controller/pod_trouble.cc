#include "controller/pod_trouble.h"

#include <algorithm>

#include "api/names.h"
#include "controller/pod_image.h"
#include "controller/refusal.h"
#include "controller/rollout.h"
#include "controller/workload_facts.h"
#include "inject/volumes.h"
#include "inject/workload_view.h"

namespace stash::controller {
namespace {

namespace names = api::names;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds kRefusedFor{30};       ///< a rollout frees its quota as it goes
constexpr seconds kFailsFor{60};         ///< about the third try of the kubelet
constexpr minutes kFailsSomewhere{10};   ///< while the sidecar runs in other pods
constexpr minutes kUnschedulableFor{5};  ///< an autoscaler adds nodes in that time

constexpr std::string_view kPullFailures[] = {
    "ErrImagePull",        "ImagePullBackOff",  "InvalidImageName",         "ErrImageNeverPull",
    "RegistryUnavailable", "ImageInspectError", "SignatureValidationFailed"};

/// It has its image, and yet the kubelet cannot make it: a Secret of its env is missing, a user contradicts
/// runAsNonRoot, a profile is not on the node.
constexpr std::string_view kStartFailures[] = {"CreateContainerConfigError", "CreateContainerError",
                                               "RunContainerError"};

/// Has the sidecar of the template as it is, of whatever image.
bool has_this_sidecar(const Json& pod, const Json& workload) {
  const std::string_view hash = names::kAppliedBackupHash;
  return inject::sidecar_of(workload) != nullptr &&
         std::ranges::any_of(array_at(pod, {"spec", "containers"}), inject::is_sidecar) &&
         string_at(pod, {"metadata", "annotations", hash}) ==
             string_at(workload, {"spec", "template", "metadata", "annotations", hash});
}

const Json* status_of(const Json& pod, std::string_view container) {
  return inject::named(array_at(pod, {"status", "containerStatuses"}), container);
}

bool runs_sidecar(const Json& pod) {
  const Json* status = status_of(pod, names::kSidecar);
  return status != nullptr && at(*status, {"state", "running"}) != nullptr;
}

bool waits_for(const auto& reasons, const Json& status) {
  return std::ranges::find(reasons, string_at(status, {"state", "waiting", "reason"})) != std::end(reasons);
}

bool fails_to_pull(const Json& status) { return waits_for(kPullFailures, status); }

bool fails_to_start(const Json& status) {
  // Between two tries it waits for the next one, and only what became of the last is left.
  const std::string ended = string_at(status, {"lastState", "terminated", "reason"});
  const bool between = string_at(status, {"state", "waiting", "reason"}) == "CrashLoopBackOff" &&
                       (ended == "StartError" || ended == "ContainerCannotRun");
  return between || waits_for(kStartFailures, status);
}

seconds age_of(const Json& pod, TimePoint now) {
  const auto created = parse_time(string_at(pod, {"metadata", "creationTimestamp"}));
  return created ? std::chrono::duration_cast<seconds>(now - *created) : seconds(0);
}

/// A pod that ran for days is given the same time when its sidecar begins anew.
seconds not_ready_for(const Json& pod, TimePoint now) {
  const Json* condition = condition_with(pod, "ContainersReady", "False");
  const auto since = parse_time(condition == nullptr ? "" : string_at(*condition, {"lastTransitionTime"}));
  return since ? std::min(age_of(pod, now), std::chrono::duration_cast<seconds>(now - *since)) : age_of(pod, now);
}

const Json* unschedulable(const Json& pod) {
  const Json* condition = condition_with(pod, "PodScheduled", "False");
  return condition != nullptr && string_at(*condition, {"reason"}) == "Unschedulable" ? condition : nullptr;
}

/// "Unable to attach or mount volumes: unmounted volumes=[stash-local], unattached volumes=[...]": ours, all of them?
bool only_ours_are_unmounted(std::string_view sentence, const Json& workload) {
  constexpr std::string_view label = "unmounted volumes=[";
  const auto begin = sentence.find(label);
  const auto end = sentence.find(']', begin);
  if (begin == std::string_view::npos || end == std::string_view::npos) return false;
  std::string_view list = sentence.substr(begin + label.size(), end - begin - label.size());
  if (list.empty()) return false;
  while (!list.empty()) {
    const auto space = std::min(list.find(' '), list.size());
    if (inject::owner_of(workload, list.substr(0, space)) != inject::VolumeOwner::ours) return false;
    list.remove_prefix(std::min(space + 1, list.size()));
  }
  return true;
}

class Diagnosis {
 public:
  explicit Diagnosis(const PodTroubleWorld& world) : world_(world) {
    for (const Json& pod : world.pods) {
      if (is_going(pod)) continue;
      ++alive_;
      if (has_this_sidecar(pod, world.workload)) pods_.push_back(&pod);
    }
    if (some_are_older()) {
      std::erase_if(pods_, [&](const Json* pod) { return !has_image_of(*pod, world.workload); });
    }
    sidecar_runs_ = std::ranges::any_of(pods_, [](const Json* pod) { return runs_sidecar(*pod); });
  }

  std::optional<PodTrouble> refused() const {
    const auto sentence = lasting_refusal();
    if (!sentence) return {};
    const Blame blame = blame_for(*sentence, *inject::sidecar_of(world_.workload));
    if (blame == Blame::not_ours || (blame == Blame::unclear && !pods_.empty())) return {};
    return PodTrouble{inject::Reason::pods_refused, *sentence};
  }

  std::string refused_beside_running_ones() const {
    const auto sentence = pods_.empty() ? std::nullopt : lasting_refusal();
    if (!sentence) return "";
    return blame_for(*sentence, *inject::sidecar_of(world_.workload)) == Blame::unclear ? *sentence : "";
  }

  std::optional<PodTrouble> image_not_pulled() const {
    return sidecar_fails(fails_to_pull, inject::Reason::image_pull_failed);
  }

  std::optional<PodTrouble> not_started() const {
    return sidecar_fails(fails_to_start, inject::Reason::sidecar_start_failed);
  }

  std::optional<PodTrouble> volume_not_mounted() const {
    for (const Json& event : world_.events) {
      const std::string sentence = string_at(event, {"message"});
      if (string_at(event, {"reason"}) != "FailedMount" || !only_ours_are_unmounted(sentence, world_.workload))
        continue;
      const std::string uid = string_at(event, {"involvedObject", "uid"});
      const bool waits = std::ranges::any_of(pods_, [&](const Json* pod) {
        return string_at(*pod, {"metadata", "uid"}) == uid && string_at(*pod, {"status", "phase"}) == "Pending";
      });
      if (waits) return PodTrouble{inject::Reason::volume_mount_failed, sentence};
    }
    return {};
  }

  std::optional<PodTrouble> not_scheduled() const {
    if (sidecar_runs_) return {};
    for (const Json* pod : pods_) {
      const Json* condition = unschedulable(*pod);
      if (condition == nullptr || age_of(*pod, world_.now) < kUnschedulableFor) continue;
      return PodTrouble{inject::Reason::pods_unschedulable, string_at(*condition, {"message"})};
    }
    return {};
  }

  bool all_follow() const { return alive_ == std::ssize(pods_); }

  const Json* waiting_for_volumes() const {
    const auto found = std::ranges::find_if(pods_, [&](const Json* pod) {
      const Json* ours = status_of(*pod, names::kSidecar);
      const std::string reason = ours == nullptr ? "" : string_at(*ours, {"state", "waiting", "reason"});
      return (reason == "ContainerCreating" || reason == "PodInitializing") && age_of(*pod, world_.now) > minutes(2);
    });
    return found == pods_.end() ? nullptr : *found;
  }

 private:
  /// Where none is, another image is one that a policy for pods gave it (0041). Kinds that do not roll out cannot tell.
  bool some_are_older() const {
    return world_.kind.rolls_out && updated_pods(world_.kind, world_.workload) < std::ssize(pods_);
  }

  std::optional<PodTrouble> sidecar_fails(bool (*fails)(const Json&), inject::Reason reason) const {
    const auto patience = sidecar_runs_ ? seconds(kFailsSomewhere) : kFailsFor;
    for (const Json* pod : pods_) {
      const Json* ours = status_of(*pod, names::kSidecar);
      if (ours == nullptr || !fails(*ours) || not_ready_for(*pod, world_.now) < patience) continue;
      const auto failing = std::ranges::count_if(array_at(*pod, {"status", "containerStatuses"}), fails);
      if (failing > 1) continue;  // the registry or the node, not the sidecar
      const std::string word = string_at(*ours, {"state", "waiting", "reason"});
      return PodTrouble{reason, word + ": " + string_at(*ours, {"state", "waiting", "message"}, word)};
    }
    return {};
  }

  std::optional<std::string> lasting_refusal() const {
    if (alive_ >= wanted_pods(world_.kind, world_.workload) && replica_failure(world_.workload) == nullptr) return {};
    const auto refusal = refusal_of(world_.workload, world_.events, world_.injected);
    if (!refusal || world_.now - std::max(refusal->since, world_.injected) < kRefusedFor) return {};
    return refusal->sentence;
  }

  const PodTroubleWorld& world_;
  std::vector<const Json*> pods_;  ///< those that follow the template
  std::int64_t alive_ = 0;
  bool sidecar_runs_ = false;
};

/// Nothing of ours can be in the way.
bool goes_well(const PodTroubleWorld& world) {
  return inject::sidecar_of(world.workload) == nullptr || is_settled(world.kind, world.workload);
}

}  // namespace

std::optional<PodTrouble> pod_trouble(const PodTroubleWorld& world) {
  if (goes_well(world)) return std::nullopt;
  const Diagnosis diagnosis(world);
  for (const auto check : {&Diagnosis::refused, &Diagnosis::image_not_pulled, &Diagnosis::not_started,
                           &Diagnosis::volume_not_mounted, &Diagnosis::not_scheduled}) {
    if (auto trouble = (diagnosis.*check)()) return trouble;
  }
  return std::nullopt;
}

std::string unclear_refusal(const PodTroubleWorld& world) {
  return goes_well(world) ? "" : Diagnosis(world).refused_beside_running_ones();
}

bool all_pods_follow(const PodTroubleWorld& world) { return Diagnosis(world).all_follow(); }

bool sidecar_holds_back(const Json& pod) {
  const Json* ours = status_of(pod, names::kSidecar);
  return ours != nullptr && (fails_to_pull(*ours) || fails_to_start(*ours));
}

const Json* pod_that_waits_for_volumes(const PodTroubleWorld& world) { return Diagnosis(world).waiting_for_volumes(); }

}  // namespace stash::controller
