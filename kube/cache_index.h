#pragma once
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "api/resource.h"

namespace stash::kube {

/// Which objects of a namespace are found under which keys. Not thread-safe.
class CacheIndex {
 public:
  void add(const api::ObjectRef& ref, const std::vector<std::string>& keys);
  void remove(const api::ObjectRef& ref, const std::vector<std::string>& keys);       ///< those that it was added with
  std::vector<api::ObjectRef> find(std::string_view ns, std::string_view key) const;  ///< ordered by name

 private:
  using Entry = std::tuple<std::string, std::string, std::string>;  // namespace, key, name
  std::set<Entry> entries_;
};

}  // namespace stash::kube
