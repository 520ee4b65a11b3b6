#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "base/json.h"
#include "base/time.h"

namespace stash::controller {

/// A status under change: the raw object, so that unknown fields stay, and its conditions.
class StatusDraft {
 public:
  StatusDraft(const Json& object, std::vector<api::Condition> conditions, TimePoint now);

  Json json;  ///< the status; conditions are put in by finish()

  std::string phase() const { return string_at(json, {"phase"}); }
  void set(std::string_view type, std::string_view status, std::string_view reason, std::string message);
  /// Also when the status stays the same, the time of the condition becomes now.
  void set_now(std::string_view type, std::string_view status, std::string_view reason, std::string message);
  const std::vector<api::Condition>& conditions() const { return conditions_; }
  const Json& finish();

 private:
  std::vector<api::Condition> conditions_;
  std::int64_t generation_;
  TimePoint now_;
  bool changed_ = false;
};

/// Does a condition of the stored object carry this message? For objects that cannot be decoded.
bool already_says(const Json& object, std::string_view message);

/// "1h2m3s" since the creation of the object; never negative.
std::string age_text(TimePoint created, TimePoint now);
std::chrono::seconds age(TimePoint created, TimePoint now);

}  // namespace stash::controller
