#pragma once
#include <cstddef>
#include <initializer_list>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "inject/operations.h"

namespace stash::inject {

/// Edits of a workload, each written down as an operation, so that the operations name nothing but what was edited. The
/// workload itself is not copied: what was edited is remembered beside it. For well-formed workloads (workload_view.h);
/// an edit whose place does not exist does nothing.
class Patch {
 public:
  /// Object keys, and the same as a JSON pointer.
  class Path {
   public:
    Path() = default;
    Path(std::initializer_list<std::string_view> keys);

    const std::vector<std::string>& keys() const { return keys_; }
    /// To what so many of the keys lead to.
    std::string_view pointer(std::size_t steps) const;
    const std::string& pointer() const { return pointer_; }

   private:
    std::vector<std::string> keys_;
    std::string pointer_;
  };

  /// `workload` must outlive this.
  explicit Patch(const Json& workload) : edited_{.value = &workload} {}
  Patch(Patch&&) noexcept = default;
  Patch& operator=(Patch&&) noexcept = default;
  Patch(const Patch&) = delete;
  Patch& operator=(const Patch&) = delete;
  ~Patch() = default;

  /// Adds or replaces a member, with the parents it needs. Nothing when it already has that value.
  void set(const Path& path, std::shared_ptr<const Value> value);
  void set(const Path& path, Json value) { set(path, std::make_shared<const Value>(std::move(value))); }
  /// Removes a member, and the parents that are empty then.
  void unset(const Path& path) { unset_at(path, path.keys().size()); }
  /// Adds at the end of a list that is created when missing.
  void append(const Path& list, std::shared_ptr<const Value> value) { append(list, std::vector{std::move(value)}); }
  void append(const Path& list, std::vector<std::shared_ptr<const Value>> values);
  void replace(const Path& list, std::size_t index, std::shared_ptr<const Value> value);
  void replace_member(const Path& list, std::size_t index, const std::string& key, Json value);
  /// Removes an element; an empty list goes altogether.
  void erase(const Path& list, std::size_t index);

  /// A copy of what is at `path` now; null when nothing is.
  Json edited(const Path& path) const;
  const Operations& operations() const& { return operations_; }
  Operations operations() && { return std::move(operations_); }

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

  /// What is at a path: a node that was edited, else a value of the workload; neither when nothing is.
  struct Found {
    const Node* node = nullptr;
    const Json* value = nullptr;
  };

  Found look_at(Keys path) const;
  void unset_at(const Path& path, std::size_t steps);
  /// nullptr: there is nothing.
  Node* member(Node& node, const std::string& key);
  Node* find(Keys path);
  /// nullptr: there is no list, or none with such an element.
  std::vector<const Json*>* elements_of(const Path& list);
  std::vector<const Json*>* list_with(const Path& list, std::size_t index);
  /// Returns the value, which lives as long as the operation.
  const Json* record(std::string_view operation, std::string pointer, std::shared_ptr<const Value> value);

  Node edited_;
  std::list<Json> own_;  ///< elements of which a member was replaced
  Operations operations_;
};

}  // namespace stash::inject
