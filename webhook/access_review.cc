#include "webhook/access_review.h"

#include <fmt/format.h>

#include "api/resource.h"

namespace stash::webhook {

std::string to_string(const Right& right) {
  const std::string where = right.ns.empty() ? "all namespaces" : "namespace " + right.ns;
  return fmt::format("{} {}{}{}{}{}{}{} in {}", right.verb, right.resource, right.subresource.empty() ? "" : "/",
                     right.subresource, right.group.empty() ? "" : ".", right.group, right.name.empty() ? "" : " ",
                     right.name, where);
}

Json encode_access_review(const Json& user_info, const Right& right) {
  Json attributes = {{"verb", right.verb}, {"resource", right.resource}, {"namespace", right.ns}};
  if (!right.group.empty()) attributes["group"] = right.group;
  if (!right.subresource.empty()) attributes["subresource"] = right.subresource;
  if (!right.name.empty()) attributes["name"] = right.name;
  Json spec = {{"user", string_at(user_info, {"username"})}, {"resourceAttributes", std::move(attributes)}};
  for (const char* key : {"groups", "uid", "extra"}) {
    if (const Json* found = at(user_info, {key})) spec[key] = *found;
  }
  return {{"apiVersion", api::kSubjectAccessReviews.api_version()},
          {"kind", api::kSubjectAccessReviews.kind},
          {"spec", std::move(spec)}};
}

Result<bool> decode_access_review(const Json& answer) {
  const Json* allowed = at(answer, {"status", "allowed"});
  if (allowed == nullptr || !allowed->is_boolean()) {
    return fail(ErrorCode::invalid, "the answer to a SubjectAccessReview does not say whether it is allowed");
  }
  return *allowed == true;
}

}  // namespace stash::webhook
