#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/resource.h"

namespace stash::kube {

/// Which objects are found under which keys. Not thread-safe. Keys and names must not contain '\0'.
class CacheIndex {
 public:
  void add(const api::ObjectRef& ref, const std::vector<std::string>& keys);
  void remove(const api::ObjectRef& ref, const std::vector<std::string>& keys);  ///< those that it was added with
  /// Ordered by namespace and name; of all namespaces if `ns` is "".
  std::vector<api::ObjectRef> find(std::string_view ns, std::string_view key) const;

 private:
  // Each as one text, "key\0namespace\0name": tens of thousands of three texts each would be most of a cache.
  std::set<std::string, std::less<>> entries_;
};

}  // namespace stash::kube
