#include "webhook/caches.h"

#include <algorithm>

namespace stash::webhook {

namespace {

// A watch without bookmarks is opened anew after 150 s of silence, and up to half a minute may pass in between.
constexpr std::chrono::minutes kOutOfTouch{4};

}  // namespace

Caches::Caches(const kube::Config& config, Index& index, const stash::Clock& clock) : index_(index) {
  for (const api::Resource& resource :
       {api::kNamespaces, api::kRepositories, api::kBackupConfigurations, api::kRestoreSessions}) {
    kube::Cache::Options options;
    options.clock = &clock;
    options.metadata_only = resource == api::kNamespaces;
    options.keep = kube::Cache::Keep::versions;  // the index has what is needed of them
    caches_.push_back(std::make_unique<kube::Cache>(
        config, resource, std::move(options),
        [&index, resource](const api::ObjectRef& ref, const kube::Cache::Object&, const kube::Cache::Object& after) {
          index.change(resource, ref, after.get());
        }));
  }
}

void Caches::start() {
  for (const auto& cache : caches_) cache->start();
}

bool Caches::synced() {
  if (!index_.complete()) {
    if (!std::ranges::all_of(caches_, [](const auto& cache) { return cache->synced(); })) return false;
    index_.set_complete();
  }
  return std::ranges::all_of(caches_, [](const auto& cache) { return cache->silence() < kOutOfTouch; });
}

}  // namespace stash::webhook
