#pragma once
#include <chrono>
#include <optional>
#include <string_view>

#include "sidecar/restic.h"

namespace stash::sidecar {

/// Watches restic's retries while it opens or makes a repository, or reads what others remove meanwhile.
class Restic::FirstContact {
 public:
  enum class With { repository, what_others_remove };
  FirstContact(const ResticPatience& patience, bool may_time_out, With with = With::repository)
      : patience_(patience), may_time_out_(may_time_out), with_(with), start_(std::chrono::steady_clock::now()) {}

  void hear(std::string_view line) {
    const auto cause = cause_of_retry(line);
    if (!cause) return;
    if (!first_retry_) first_retry_ = std::chrono::steady_clock::now();
    // Once may be a server that is just starting.
    const bool gone = with_ == With::what_others_remove && is_retry_of_what_is_gone(line);
    if (gone || is_beyond_retries(*cause)) ++hopeless_;
  }
  bool is_over() const {
    const auto now = std::chrono::steady_clock::now();
    if (hopeless_ >= 2) return true;
    if (!may_time_out_) return false;
    return first_retry_ ? now - *first_retry_ >= patience_.contact : now - start_ >= patience_.silence;
  }

 private:
  const ResticPatience& patience_;
  bool may_time_out_;
  With with_;
  std::chrono::steady_clock::time_point start_;
  std::optional<std::chrono::steady_clock::time_point> first_retry_;
  int hopeless_ = 0;
};

}  // namespace stash::sidecar
