#pragma once
#include <cstddef>
#include <list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"

namespace stash::inject {

/// Edits of a workload, each written down as an RFC 6902 operation, so that the operations name nothing but what was
/// edited. The workload itself is not copied: what was edited is remembered beside it. For well-formed workloads
/// (workload_view.h); an edit whose place does not exist does nothing.
class Patch {
 public:
  using Path = std::vector<std::string>;  ///< object keys

  /// `workload` must outlive this.
  explicit Patch(const Json& workload) : edited_{.value = &workload} {}
  Patch(Patch&&) noexcept = default;
  Patch& operator=(Patch&&) noexcept = default;
  Patch(const Patch&) = delete;
  Patch& operator=(const Patch&) = delete;
  ~Patch() = default;

  /// Adds or replaces a member, with the parents it needs. Nothing when it already has that value.
  void set(const Path& path, Json value);
  /// Removes a member, and the parents that are empty then.
  void unset(const Path& path) { unset_at(path); }
  /// Adds at the end of a list that is created when missing.
  void append(const Path& list, Json value);
  void replace(const Path& list, std::size_t index, Json value);
  void replace_member(const Path& list, std::size_t index, const std::string& key, Json value);
  /// Removes an element; an empty list goes altogether.
  void erase(const Path& list, std::size_t index);

  /// A copy of what is at `path` now; null when nothing is.
  Json edited(const Path& path) const;
  const Json& operations() const& { return operations_; }
  Json operations() && { return std::move(operations_); }

 private:
  using Keys = std::span<const std::string>;
  /// A value of the edited workload: `value`, but for the members or elements that stand beside it.
  struct Node {
    const Json* value = nullptr;  ///< of the workload, of an operation, or own_; nullptr: there is none
    std::map<std::string, Node, std::less<>> members = {};
    std::optional<std::vector<const Json*>> elements = {};

    const Json* member_of_value(std::string_view key) const;
    bool has_member(std::string_view key) const;
    std::size_t count_members() const;
    Json made() const;
  };

  void unset_at(Keys path);
  /// nullptr: there is nothing.
  Node* member(Node& node, const std::string& key);
  Node* find(Keys path);
  /// nullptr: there is no list, or none with such an element.
  std::vector<const Json*>* elements_of(const Path& list);
  std::vector<const Json*>* list_with(const Path& list, std::size_t index);
  /// Returns the value, which now is in the operation.
  const Json* record(const char* operation, std::string pointer, std::optional<Json> value);

  Node edited_;
  std::list<Json> own_;  ///< elements of which a member was replaced
  Json operations_ = Json::array();
};

}  // namespace stash::inject
