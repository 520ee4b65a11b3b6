#pragma once
#include <vector>

#include "controller/backup_gauges.h"
#include "controller/caches.h"

namespace stash::controller {

struct ObjectGauges {
  std::vector<BackupGauges> backups;
  std::vector<RepositoryGauges> repositories;
};

/// Of all objects in the caches; of none before all caches are filled, for a backup without its sessions would seem
/// never to have succeeded. Any thread.
ObjectGauges gather_gauges(Caches& caches, TimePoint now);

}  // namespace stash::controller
