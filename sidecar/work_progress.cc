#include "sidecar/work_progress.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace stash::sidecar {

namespace {

/// Files too, for a volume of empty ones is not done before it is.
std::optional<double> fraction_of(const ResticStatus& status) {
  const bool by_bytes = status.bytes_total > 0;
  const auto total = static_cast<double>(by_bytes ? status.bytes_total : status.files_total);
  const auto done = static_cast<double>(by_bytes ? status.bytes_done : status.files_done);
  if (total <= 0) return std::nullopt;
  return std::clamp(done / total, 0.0, 1.0);
}

std::int64_t signed_count(std::uint64_t count) {
  return static_cast<std::int64_t>(
      std::min(count, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())));
}

}  // namespace

void WorkProgress::end_part(std::uint64_t files, std::uint64_t bytes) {
  files_ += files;
  bytes_ += bytes;
  ended_ = std::min(ended_ + 1, parts_);
  current_.reset();
}

void WorkProgress::end_part() {
  const ResticStatus last = current_.value_or(ResticStatus{});
  end_part(std::max(last.files_done, last.files_total), std::max(last.bytes_done, last.bytes_total));
}

api::Progress WorkProgress::now() const {
  const ResticStatus status = current_.value_or(ResticStatus{});
  api::Progress progress;
  progress.step = step_;
  progress.files_done = signed_count(files_ + status.files_done);
  progress.files_total = signed_count(files_ + std::max(status.files_done, status.files_total));
  progress.bytes_done = signed_count(bytes_ + status.bytes_done);
  progress.bytes_total = signed_count(bytes_ + std::max(status.bytes_done, status.bytes_total));
  const auto fraction = fraction_of(status);
  if (parts_ > 0 && (fraction || ended_ > 0)) {
    progress.percent = static_cast<int>(
        std::floor(100 * (static_cast<double>(ended_) + fraction.value_or(0)) / static_cast<double>(parts_)));
  }
  if (ended_ + 1 == parts_ && status.remaining) progress.seconds_remaining = status.remaining->count();
  return progress;
}

api::Progress WorkProgress::last() const {
  api::Progress progress = now();
  progress.step.clear();
  progress.seconds_remaining.reset();
  return progress;
}

}  // namespace stash::sidecar
