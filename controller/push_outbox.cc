#include "controller/push_outbox.h"

#include <thread>
#include <utility>

#include "base/log.h"

namespace stash::controller {
namespace {

using std::chrono::seconds;

constexpr std::chrono::milliseconds kLookForPushes{500};
constexpr seconds kPause{2};  ///< between rounds, so that many sessions or deletions are few requests
constexpr seconds kPauseAfterFault{30};
constexpr seconds kCleanUpAnyway{600};  ///< a sidecar that was still at work may push after its configuration went
constexpr seconds kTimeLimit{5};

/// The body of a 2xx answer.
Result<std::string> call(HttpClient& client, const char* method, const std::string& url, const std::string& body = "") {
  HttpRequest request;
  request.method = method;
  request.url = url;
  if (!body.empty()) request.headers = {{"Content-Type", "text/plain; version=0.0.4"}};
  request.body = body;
  request.connect_timeout = kTimeLimit;
  request.total_timeout = kTimeLimit;
  TRY(HttpResponse response, client.send(request));
  if (response.status / 100 == 2) return std::move(response.body);
  return fail(ErrorCode::unreachable, fmt::format("HTTP {}", response.status));
}

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

}  // namespace

PushOutbox::PushOutbox(std::string pushgateway_url, const Clock& clock)
    : url_(without_slash(std::move(pushgateway_url))), clock_(clock) {}

void PushOutbox::put(const PushedGroup& group, std::string text) {
  if (url_.empty()) return;
  const std::scoped_lock lock(mutex_);
  const auto sent = sent_.find(group);
  if (sent != sent_.end() && sent->second == text) return;
  waiting_[group] = std::move(text);
}

void PushOutbox::clean_up_soon() {
  const std::scoped_lock lock(mutex_);
  dirty_ = true;
}

std::size_t PushOutbox::waiting() const {
  const std::scoped_lock lock(mutex_);
  return waiting_.size();
}

bool PushOutbox::send_groups(HttpClient& client) {
  while (true) {
    std::pair<PushedGroup, std::string> next;
    {
      const std::scoped_lock lock(mutex_);
      if (waiting_.empty()) return true;
      next = *waiting_.begin();
    }
    const auto done = call(client, "PUT", group_url(url_, next.first), next.second);
    if (!done) {
      log_warning("metrics of {} {}/{} were not pushed to {}: {}; trying again", next.first.job, next.first.ns,
                  next.first.value, url_, done.error().message);
      return false;
    }
    const std::scoped_lock lock(mutex_);
    const auto still = waiting_.find(next.first);
    if (still != waiting_.end() && still->second == next.second) waiting_.erase(still);
    sent_[next.first] = std::move(next.second);
  }
}

bool PushOutbox::clean_up(HttpClient& client, const Living& living) {
  const auto body = call(client, "GET", url_ + "/api/v1/metrics");
  const auto answer = body ? parse_json(*body) : std::unexpected(body.error());
  if (!answer) {
    log_warning("metrics of deleted objects stay at {}: {}; trying again", url_, answer.error().message);
    return false;
  }
  {
    // What a Pushgateway lost, as one without a disk does at each restart, is not sent any more.
    const std::vector<PushedGroup> groups = our_groups(*answer);
    const std::set<PushedGroup> there(groups.begin(), groups.end());
    const std::scoped_lock lock(mutex_);
    std::erase_if(sent_, [&](const auto& sent) { return !there.contains(sent.first); });
  }
  for (const PushedGroup& group : stale_groups(*answer, living)) {
    const auto done = call(client, "DELETE", group_url(url_, group));
    if (!done) {
      log_warning("metrics of {} {}/{} stay at {}: {}; trying again", group.job, group.ns, group.value, url_,
                  done.error().message);
      return false;
    }
    const std::scoped_lock lock(mutex_);
    sent_.erase(group);
  }
  return true;
}

bool PushOutbox::send(HttpClient& client, const std::function<Living()>& living) {
  if (!send_groups(client)) {
    // It may be away for days, and what was deleted meanwhile need not be told.
    const Living now = living();
    const std::scoped_lock lock(mutex_);
    std::erase_if(waiting_, [&](const auto& waiting) { return !is_living(waiting.first, now); });
    return false;
  }
  {
    const std::scoped_lock lock(mutex_);
    if (!std::exchange(dirty_, false)) return true;
  }
  if (clean_up(client, living())) return true;
  clean_up_soon();
  return false;
}

void PushOutbox::run(const std::function<Living()>& living, const kube::Term& term) {
  if (url_.empty()) return;
  HttpClient client({});
  client.set_cancel([&term] { return term.over(); });
  auto due = clock_.steady() + kPause, clean_up = clock_.steady() + kCleanUpAnyway;
  while (!term.over()) {
    std::this_thread::sleep_for(kLookForPushes);
    if (clock_.steady() < due) continue;
    if (clock_.steady() >= clean_up) {
      clean_up_soon();
      clean_up = clock_.steady() + kCleanUpAnyway;
    }
    due = clock_.steady() + (send(client, living) ? kPause : kPauseAfterFault);
  }
}

}  // namespace stash::controller
