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
  Caches(const kube::Config& config, Index& index);
  void start();
  /// True once every cache has its first complete list; tells the index so.
  bool synced();

 private:
  Index& index_;
  std::vector<std::unique_ptr<kube::Cache>> caches_;
};

}  // namespace stash::webhook
