#include "sidecar/found_nodes.h"

#include <algorithm>

#include "base/json.h"

namespace stash::sidecar {

namespace {

// A path has 4 KiB, a link's target too, and JSON may need six characters for one of theirs.
constexpr std::size_t kLongestNode = 256u << 10;

}  // namespace

void FoundNodes::feed(std::string_view piece) {
  for (const char c : piece) {
    if (!in_string_ && c == '{') ++depth_;
    if (!in_string_ && c == ']' && depth_ == 0) ended_ = true;
    if (depth_ >= 2) {
      if (node_.size() < kLongestNode) {
        node_ += c;
      } else {
        nonsense_ = true;
      }
    }
    if (in_string_) {
      in_string_ = escaped_ || c != '"';
      escaped_ = !escaped_ && c == '\\';
      continue;
    }
    in_string_ = c == '"';
    if (c != '}') continue;
    if (depth_ == 2) end_node();
    --depth_;
  }
}

void FoundNodes::end_node() {
  const auto json = parse_json(node_);
  node_.clear();
  FoundNode node;
  if (json) {
    node.path = string_at(*json, {"path"});
    node.type = string_at(*json, {"type"});
    node.links = static_cast<std::uint64_t>(std::max<std::int64_t>(0, int_at(*json, {"links"})));
  }
  if (node.path.empty() || node.type.empty()) {
    nonsense_ = true;
  } else {
    on_node_(node);
  }
}

}  // namespace stash::sidecar
