#pragma once
#include <string_view>

#include "base/json.h"

namespace stash::kube {

enum class WatchType { added, modified, deleted, bookmark };
struct WatchEvent {
  WatchType type;
  Json object;
};

/// One line of a watch stream. An ERROR event becomes the error that its Status stands for (410: expired); a type that
/// is none of the API's, an object that is none, or text that is no JSON: invalid.
/// https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
Result<WatchEvent> decode_watch_event(std::string_view line, std::string_view doing);

}  // namespace stash::kube
