#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/resource.h"
#include "base/json.h"
#include "base/result.h"

namespace stash::kube {

/// "/apis/apps/v1/namespaces/demo/deployments/web/status?fieldManager=x"; every part is percent-encoded.
std::string request_path(const api::Resource& resource, const api::ObjectRef& ref, std::string_view subresource = "",
                         const std::vector<std::pair<std::string, std::string>>& query = {});

/// Turns an HTTP status, the Retry-After header ("" if none) and the body (a metav1.Status, or anything) into the error
/// of kube/api.h. `doing` names verb and object.
Error error_of(int http_status, std::string_view retry_after, std::string_view body, std::string_view doing);

/// Splits a watch stream into lines, over any chunking.
class LineSplitter {
 public:
  explicit LineSplitter(std::size_t max_line = 8u << 20);
  /// Calls `on_line` for each whole line; false from it stops. Error invalid when a line exceeds the limit.
  template <class F>
  Result<bool> feed(std::string_view bytes, F&& on_line) {
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      const auto part = bytes.substr(0, end);
      if (pending_.size() + part.size() > max_line_) return fail(ErrorCode::invalid, "a watch event is too large");
      if (end == std::string_view::npos) {
        pending_ += part;
        return true;
      }
      const bool whole = pending_.empty();
      if (!whole) pending_ += part;
      const bool go_on = on_line(whole ? part : std::string_view(pending_));
      pending_.clear();
      if (!go_on) return false;
      bytes.remove_prefix(end + 1);
    }
    return true;
  }

 private:
  std::size_t max_line_;
  std::string pending_;
};

}  // namespace stash::kube
