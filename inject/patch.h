#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "base/json.h"

namespace stash::inject {

/// Edits a copy of a workload and writes down each edit as an RFC 6902 operation, so that the operations name nothing
/// but what was edited. For well-formed workloads (workload_view.h); an edit whose place does not exist does nothing.
class Patch {
 public:
  using Path = std::vector<std::string>;  ///< object keys

  explicit Patch(Json workload) : workload_(std::move(workload)) {}

  /// Adds or replaces a member, with the parents it needs. Nothing when it already has that value.
  void set(const Path& path, Json value);
  /// Removes a member, and the parents that are empty then.
  void unset(const Path& path);
  /// Adds at the end of a list that is created when missing.
  void append(const Path& list, Json value);
  void replace(const Path& list, std::size_t index, Json value);
  void replace_member(const Path& list, std::size_t index, const std::string& key, Json value);
  /// Removes an element; an empty list goes altogether.
  void erase(const Path& list, std::size_t index);

  const Json& workload() const { return workload_; }
  const Json& operations() const& { return operations_; }
  Json operations() && { return std::move(operations_); }

 private:
  Json* find(const Path& path);
  void record(const char* operation, std::string pointer, const Json* value);

  Json workload_;
  Json operations_ = Json::array();
};

}  // namespace stash::inject
