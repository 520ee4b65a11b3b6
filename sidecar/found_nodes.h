#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace stash::sidecar {

/// What `restic find --json` says of a file, directory or link in a snapshot. Bytes of its path that are no UTF-8 come
/// as U+FFFD.
struct FoundNode {
  std::string path, type;
  std::uint64_t links = 0;
  friend bool operator==(const FoundNode&, const FoundNode&) = default;
};

/// Fed with that output in any pieces. restic prints all that it finds as one line, so it is cut here; no more of it is
/// kept than one node.
class FoundNodes {
 public:
  explicit FoundNodes(std::function<void(const FoundNode&)> on_node) : on_node_(std::move(on_node)) {}
  void feed(std::string_view piece);
  /// Whether it was told to its end, and every node was understood.
  bool complete() const { return ended_ && !nonsense_; }

 private:
  void end_node();
  std::function<void(const FoundNode&)> on_node_;
  std::string node_;
  int depth_ = 0;  ///< of braces: 1 in what is told of the snapshot, 2 in a node
  bool ended_ = false, in_string_ = false, escaped_ = false, nonsense_ = false;
};

}  // namespace stash::sidecar
