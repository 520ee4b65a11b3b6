#pragma once
#include <string>

#include "base/json.h"

namespace stash::webhook {

/// Something that an author may or may not do in one namespace or in all, as RBAC names it: "create", "", "pods",
/// "exec".
struct Right {
  std::string verb, group, resource, subresource;
  std::string name;  ///< "" for all objects of that resource
  std::string ns;    ///< "" for all namespaces
  friend bool operator==(const Right&, const Right&) = default;
};
std::string to_string(const Right& right);  ///< "patch deployments.apps/web in namespace demo"

/// The SubjectAccessReview that asks whether the user of an AdmissionReview (its userInfo) has this right.
/// https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/
Json encode_access_review(const Json& user_info, const Right& right);

/// May he? Error invalid for an answer that does not say. An evaluationError beside a "no" is no error of the question:
/// RBAC reports every binding whose role is missing so.
Result<bool> decode_access_review(const Json& answer);

}  // namespace stash::webhook
