#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/repository.h"
#include "controller/injection_facts.h"
#include "controller/workload_facts.h"
#include "inject/decision.h"

namespace stash::controller {

enum class Presence { unknown, present, absent };

/// The first thing that keeps a pod from taking a host, with its remedy.
struct Obstacle {
  std::string reason, message;
  std::string detail;     ///< changes often, so only for a final message
  bool hopeless = false;  ///< waiting for a rollout or a pod does not help
  friend bool operator==(const Obstacle&, const Obstacle&) = default;
};

/// What a session needs before a pod can take its first host.
struct TargetWorld {
  std::string ns;
  std::string owner;  ///< "BackupConfiguration demo/web", "RestoreSession demo/web": what the remedies point at
  std::string_view container;
  api::TargetRef ref;
  std::string not_opted_in;  ///< why the namespace has no injection, "" when it has
  std::string repository;    ///< its name
  std::optional<api::Repository> repository_found;
  Presence secret = Presence::unknown;
  std::optional<WorkloadFacts> workload;
  InjectionFacts injection;
  std::vector<inject::Finding> findings;
  std::vector<inject::Finding> remarks;       ///< what works, but not quite as asked for
  std::optional<std::vector<PodFacts>> pods;  ///< nullopt: not looked at
  std::optional<Obstacle> unseen;             ///< why the pods could not be looked at: "list pods: forbidden"
  std::map<std::string, std::string> busy;    ///< UIDs of pods that work for another session now, and its name
};

std::optional<Obstacle> find_obstacle(const TargetWorld& world);

/// Why nothing is injected in this namespace, with the remedy; "" when it has injection.
std::string reason_not_opted_in(const inject::Settings& settings, const std::string& ns, const Json& labels);

}  // namespace stash::controller
