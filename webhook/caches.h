#pragma once
#include <memory>
#include <vector>

#include "kube/cache.h"
#include "webhook/index.h"

namespace stash::webhook {

/// Keeps the index equal to the cluster: one cache each for namespaces (labels only), repositories,
/// backupconfigurations and restoresessions, of all namespaces.
class Caches {
 public:
  /// `index` must outlive this.
  Caches(const kube::Config& config, Index& index, const stash::Clock& clock = system_clock());
  void start();
  /// Every cache has its first complete list, which the index is told, and none has lost touch with the API server:
  /// what it never heard of would look as if it were not there.
  bool synced();

 private:
  Index& index_;
  std::vector<std::unique_ptr<kube::Cache>> caches_;
};

}  // namespace stash::webhook
