#pragma once
#include "api/repository.h"
#include "controller/obstacle.h"
#include "controller/plan.h"
#include "controller/wipe_out.h"

namespace stash::controller {

/// All that the decision about one Repository may look at.
struct RepositoryWorld {
  Json repository;
  Presence secret = Presence::unknown;
  std::string secret_error;                   ///< why it is unknown
  Presence claim = Presence::unknown;         ///< of one on a PersistentVolumeClaim
  std::string claim_error;                    ///< why it is unknown
  std::vector<api::Repository> in_namespace;  ///< itself may be among them
  int misses = 0;                             ///< how often in a row one of them was not found
  WipeOutFacts wipe_out;                      ///< only of one that is being deleted
  inject::Settings settings;
  TimePoint now{};
};

/// Pure and total: conditions, and how soon to look for a missing Secret or claim again (5 to 60 s). Neither is listed
/// or watched, and their content is never read. The figures in the status belong to the sidecars.
Plan plan_repository(const RepositoryWorld& world);

}  // namespace stash::controller
