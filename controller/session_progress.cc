#include "controller/session_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "api/codec.h"
#include "api/format.h"
#include "api/names.h"
#include "base/time.h"
#include "controller/hosts.h"

namespace stash::controller {

namespace {

std::uint64_t count_at(const Json& host, std::string_view key) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, int_at(host, {"progress", key})));
}

struct Sum {
  std::size_t ended = 0, running = 0;
  std::uint64_t bytes = 0, bytes_total = 0;
  std::int64_t percents = 0;
  bool known = false;
  std::int64_t seconds = 0;
  std::string step;
};

Sum sum_of(const Json& stats) {
  Sum sum;
  for (const Json& host : stats) {
    const std::string phase = string_at(host, {"phase"});
    sum.bytes += count_at(host, "bytesDone");
    sum.bytes_total += count_at(host, "totalBytes");
    const bool ended = phase == kHostSucceeded || phase == kHostFailed;
    if (ended) {
      ++sum.ended;
    } else if (phase == kHostRunning) {
      ++sum.running;
      sum.step = string_at(host, {"progress", "step"});
      sum.seconds = std::max(sum.seconds, int_at(host, {"progress", "secondsRemaining"}));
    } else {
      continue;
    }
    sum.known |= ended || at(host, {"progress", "percentDone"}) != nullptr;
    sum.percents +=
        phase == kHostSucceeded ? 100 : std::clamp<std::int64_t>(int_at(host, {"progress", "percentDone"}), 0, 100);
  }
  return sum;
}

/// The one that says why the session is where it is; nullptr at its very beginning.
const api::Condition* telling_condition(const StatusDraft& status) {
  const auto type = status.phase() == "Skipped" ? api::names::kBackupSkipped : api::names::kCompleted;
  return api::find_condition(status.conditions(), type);
}

void set_ready(StatusDraft& status, const std::string& reason) {
  const std::string phase = status.phase();
  const api::Condition* said = telling_condition(status);
  const std::string why = !reason.empty() ? reason : phase.empty() ? "Pending" : phase;
  status.set(api::names::kReady, phase == "Succeeded" ? "True" : "False", why,
             said != nullptr ? said->message : "the session has not begun yet");
}

}  // namespace

api::SessionProgress session_progress(const Json& stats, std::size_t total) {
  const Sum sum = sum_of(stats);
  total = std::max(total, stats.size());
  api::SessionProgress progress;
  if (total == 0) return progress;
  progress.hosts = fmt::format("{}/{}", sum.ended, total);
  if (sum.known) progress.percent = fmt::format("{}%", sum.percents / static_cast<std::int64_t>(total));
  const bool over = sum.ended == total;
  if (over && sum.bytes > 0) progress.bytes = api::format_size(sum.bytes);
  if (!over && sum.bytes_total > 0)
    progress.bytes = fmt::format("{} / {}", api::format_size(sum.bytes), api::format_size(sum.bytes_total));
  // Of hosts that have not begun nobody knows how long they take.
  if (sum.seconds > 0 && sum.ended + sum.running == total)
    progress.remaining = format_duration(std::chrono::seconds(std::min<std::int64_t>(sum.seconds, 10'000'000'000 / 2)));
  if (sum.running == 1) progress.step = sum.step;
  return progress;
}

std::string session_reason(const StatusDraft& status, std::string_view failed) {
  const std::string phase = status.phase();
  const api::Condition* said = telling_condition(status);
  if (phase == "Succeeded" || said == nullptr) return "";
  if (said->reason != phase) return said->reason;
  return phase == "Failed" ? std::string(failed) : "";
}

void set_progress(StatusDraft& status, const Json& stats, std::size_t total, std::string_view failed) {
  const Json progress = api::encode_progress(session_progress(stats, total));
  if (progress.empty()) {
    status.json.erase("progress");
  } else {
    status.json["progress"] = progress;
  }
  const std::string reason = session_reason(status, failed);
  if (reason.empty()) {
    status.json.erase("reason");
  } else {
    status.json["reason"] = reason;
  }
  set_ready(status, reason);
}

}  // namespace stash::controller
