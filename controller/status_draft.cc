#include "controller/status_draft.h"

#include <algorithm>

#include "api/codec.h"

namespace stash::controller {

StatusDraft::StatusDraft(const Json& object, std::vector<api::Condition> conditions, TimePoint now)
    : json(object_at(object, {"status"})),
      conditions_(std::move(conditions)),
      generation_(int_at(object, {"metadata", "generation"})),
      now_(now) {}

void StatusDraft::set(std::string_view type, std::string_view status, std::string_view reason, std::string message) {
  // Readers trust a condition only for the generation that it was made for.
  const api::Condition* old = api::find_condition(conditions_, type);
  changed_ |= old && old->observed_generation != generation_;
  changed_ |= api::set_condition(conditions_, {std::string(type), std::string(status), std::string(reason),
                                               std::move(message), generation_, now_});
}

void StatusDraft::set_now(std::string_view type, std::string_view status, std::string_view reason,
                          std::string message) {
  std::erase_if(conditions_, [&](const api::Condition& condition) { return condition.type == type; });
  conditions_.push_back(
      {std::string(type), std::string(status), std::string(reason), std::move(message), generation_, now_});
  changed_ = true;
}

const Json& StatusDraft::finish() {
  if (changed_) json["conditions"] = api::encode_conditions(conditions_);
  return json;
}

bool already_says(const Json& object, std::string_view message) {
  const Json& conditions = array_at(object, {"status", "conditions"});
  return std::any_of(conditions.begin(), conditions.end(),
                     [&](const Json& condition) { return string_at(condition, {"message"}) == message; });
}

std::chrono::seconds age(TimePoint created, TimePoint now) {
  return std::max(std::chrono::seconds(0), std::chrono::duration_cast<std::chrono::seconds>(now - created));
}

std::string age_text(TimePoint created, TimePoint now) { return format_duration(age(created, now)); }

}  // namespace stash::controller
