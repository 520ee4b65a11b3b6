#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "inject/operations.h"

namespace stash::webhook {

/// The request part of an AdmissionReview.
/// https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request
struct Review {
  std::string api_version;  ///< of the envelope; the answer carries the same
  std::string uid;
  std::string group, kind, name, ns, operation, subresource;
  std::string user;  ///< who asks
  Json user_info;    ///< the same with groups, uid and extra: what a SubjectAccessReview takes; null when absent
  std::string field_manager;  ///< as the writer named it; "" when it did not
  bool dry_run = false;
  Json object, old_object;  ///< null when absent
  std::size_t part_of = 0;  ///< bytes, at most, of the texts that these are a part of; 0: they are whole
};

enum class Reading {
  whole,
  /// What an injection looks at (inject/skim.h); user_info stays null.
  for_injection,
};

struct Answer {
  inject::Operations patch;           ///< empty: the object is admitted as it is
  std::vector<std::string> warnings;  ///< any text, any length; render_answer makes them fit
  std::string refusal;                ///< why it is not done; "" admits it. Of nothing but our own kinds
  std::string outcome;                ///< metric label: patched, unchanged, skipped, unsure, refused
  std::string reason;                 ///< metric label from a closed set
  bool needs_whole = false;           ///< no answer yet: what the review left out may matter
};

/// Error invalid, with a sentence for a 400 answer, for whatever is no AdmissionReview with a request and a UID.
/// Never says anything of the body's content.
Result<Review> parse_review(std::string_view body, Reading reading = Reading::whole);

/// The AdmissionReview that admits the object or, of our own kinds alone, refuses what is to be done with it.
std::string render_answer(const Review& review, const Answer& answer);

/// As the API server passes them on: no control characters, valid UTF-8, at most 256 characters each and 4,096
/// together; what does not fit is counted in the last one. Duplicates and empty ones go.
std::vector<std::string> fit_warnings(const std::vector<std::string>& warnings);

}  // namespace stash::webhook
