#pragma once
#include <string>

#include "base/base64.h"
#include "base/json.h"

namespace stash::test {

/// An AdmissionReview as an API server sends it, of an `operation` on `object` in namespace demo.
inline Json a_review(const std::string& group, const std::string& kind, const Json& object,
                     const Json& old_object = nullptr) {
  return {{"apiVersion", "admission.k8s.io/v1"},
          {"kind", "AdmissionReview"},
          {"request",
           {{"uid", "705ab4f5-6393-11e8-b7cc-42010a800002"},
            {"kind", {{"group", group}, {"version", "v1"}, {"kind", kind}}},
            {"resource", {{"group", group}, {"version", "v1"}, {"resource", "things"}}},
            {"name", string_at(object, {"metadata", "name"})},
            {"namespace", "demo"},
            {"operation", old_object.is_null() ? "CREATE" : "UPDATE"},
            {"userInfo", {{"username", "jane"}}},
            {"object", object},
            {"oldObject", old_object},
            {"dryRun", false},
            {"options", {{"kind", "CreateOptions"}}}}}};
}

/// The patch inside a rendered answer; an empty array when there is none.
inline Json patch_of(const Json& answer) {
  const std::string encoded = string_at(answer, {"response", "patch"});
  if (encoded.empty()) return Json::array();
  return parse_json(decode_base64(encoded).value()).value();
}

}  // namespace stash::test
