#include "kube/cache_index.h"

namespace stash::kube {

void CacheIndex::add(const api::ObjectRef& ref, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) entries_.emplace(ref.ns, key, ref.name);
}

void CacheIndex::remove(const api::ObjectRef& ref, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) entries_.erase({ref.ns, key, ref.name});
}

std::vector<api::ObjectRef> CacheIndex::find(std::string_view ns, std::string_view key) const {
  std::vector<api::ObjectRef> found;
  auto entry = entries_.lower_bound({std::string(ns), std::string(key), ""});
  for (; entry != entries_.end() && std::get<0>(*entry) == ns && std::get<1>(*entry) == key; ++entry) {
    found.push_back({std::get<0>(*entry), std::get<2>(*entry)});
  }
  return found;
}

}  // namespace stash::kube
