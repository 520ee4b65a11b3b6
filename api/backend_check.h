#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/repository.h"

/// What can be said about spec.backend of a Repository by looking at it alone: the controller says it in a condition,
/// the webhook to `kubectl apply`, the sidecar before it runs restic.
namespace stash::api {

struct BackendFault {
  std::string pointer;  ///< JSON pointer from the object's root: "/spec/backend/s3/bucket"
  std::string remedy;   ///< "is missing; set the name of the bucket"
  friend bool operator==(const BackendFault&, const BackendFault&) = default;
};
std::string to_string(const BackendFault& fault);  ///< "/spec/backend/s3/bucket is missing; set ..."

/// The first thing that no repository can be opened with; nullopt when there is none. Only the block that wins is
/// looked at. Values are not repeated where they may hold credentials.
std::optional<BackendFault> backend_fault(const Backend& backend);

/// What works, and is probably not meant: further blocks, which are ignored, and credentials in a URL. Sorted as
/// written in the specification; without credentials.
std::vector<std::string> backend_warnings(const Backend& backend);

/// An "http://user:password@host/path" in its parts. `user_info` is "user:password" as written; "" when there is none.
struct UrlParts {
  std::string scheme, user_info, rest;  ///< rest: host, port, path
};
UrlParts split_url(std::string_view url);

}  // namespace stash::api
