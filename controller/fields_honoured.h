#pragma once
#include "api/codec.h"
#include "api/names.h"
#include "controller/reasons.h"
#include "controller/status_draft.h"
#include "inject/decision.h"

namespace stash::controller {

/// "not acted on by this version: /spec/a; unknown, perhaps misspelt: /spec/b"; "" when there is nothing to say.
std::string ignored_fields_text(const api::IgnoredFields& ignored);

/// Sets the condition FieldsHonoured of any of our kinds: what `object` asks for and nothing acts on. The webhook warns
/// of the same, but it may be down, or whoever applies the object may not show warnings. `remarks`: what works, but not
/// quite as asked for.
template <class Kind>
void set_fields_honoured(StatusDraft& status, const Json& object, const std::vector<inject::Finding>& remarks = {}) {
  std::string text = ignored_fields_text(api::ignored_fields<Kind>(object));
  for (const inject::Finding& remark : remarks) text += (text.empty() ? "" : "; ") + remark.message;
  if (text.empty()) {
    status.set(api::names::kFieldsHonoured, "True", reasons::kAllHonoured, "every field of spec is acted on");
  } else {
    status.set(api::names::kFieldsHonoured, "False", reasons::kIgnoredFields, text);
  }
}

}  // namespace stash::controller
