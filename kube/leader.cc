#include "kube/leader.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.h"

namespace stash::kube {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kStopPoll{200};
constexpr milliseconds kReleaseLimit{2'000};

/// One candidate's view of the Lease.
class Candidate {
 public:
  Candidate(const Config& config, const LeaderElection::Options& options, const std::function<bool()>& stop)
      : api_(config), options_(options) {
    // A call that hangs past the moment when the outcome counts is worth nothing any more.
    api_.set_cancel([this, &stop] { return steady_clock::now() >= call_deadline_ || (version_.empty() && stop()); });
  }
  Candidate(const Candidate&) = delete;
  Candidate& operator=(const Candidate&) = delete;

  /// Takes the lease if it is free, ours, or seen unchanged for its whole duration. False: somebody else has it.
  Result<bool> acquire() {
    call_deadline_ = steady_clock::now() + options_.renew_deadline;
    const auto asked_at = steady_clock::now();
    auto lease = api_.get(api::kLeases, options_.lease);
    if (!lease && lease.error().code == ErrorCode::not_found) return create(asked_at);
    if (!lease) return std::unexpected(lease.error());
    const std::string holder = string_at(*lease, {"spec", "holderIdentity"});
    const std::string version = string_at(*lease, {"metadata", "resourceVersion"});
    if (version != seen_version_) {
      seen_version_ = version;
      seen_at_ = asked_at;
    }
    const bool free = holder.empty() || holder == options_.identity;
    if (!free && asked_at - seen_at_ < options_.lease_duration) return false;
    if (!free) log_info("lease {}: {} has not renewed it; taking over", api::to_string(options_.lease), holder);
    const std::string now = format_micro_time(system_clock().now());
    const auto transitions = int_at(*lease, {"spec", "leaseTransitions"}) + (holder == options_.identity ? 0 : 1);
    return write(version, spec(now, {{"acquireTime", now}, {"leaseTransitions", transitions}}), asked_at);
  }

  /// False: another one holds it now.
  Result<bool> renew() {
    call_deadline_ = lost_at();
    const auto asked_at = steady_clock::now();
    auto renewed = write(version_, spec(format_micro_time(system_clock().now()), {}), asked_at);
    if (renewed || renewed.error().code != ErrorCode::conflict) return renewed;
    // Somebody wrote it: an annotation by hand is harmless, another holder is the end.
    TRY(const Json lease, api_.get(api::kLeases, options_.lease));
    if (string_at(lease, {"spec", "holderIdentity"}) != options_.identity) return false;
    return write(string_at(lease, {"metadata", "resourceVersion"}), spec(format_micro_time(system_clock().now()), {}),
                 asked_at);
  }

  void release() {
    call_deadline_ = steady_clock::now() + kReleaseLimit;
    const Json spec = {{"holderIdentity", ""}, {"leaseDurationSeconds", 1}};
    if (const auto released = write(version_, spec, steady_clock::now()); !released) {
      log_warning("releasing the lease: {}; the next leader waits until it has run out", released.error().message);
    }
  }

  steady_clock::time_point lost_at() const { return renewed_at_ + options_.renew_deadline; }

 private:
  Json spec(const std::string& now, const Json& more) const {
    const auto whole = std::chrono::ceil<std::chrono::seconds>(options_.lease_duration);
    Json result = {{"holderIdentity", options_.identity}, {"leaseDurationSeconds", whole.count()}, {"renewTime", now}};
    if (more.is_object()) result.update(more);
    return result;
  }

  Result<bool> create(steady_clock::time_point asked_at) {
    const std::string now = format_micro_time(system_clock().now());
    const Json lease = {{"apiVersion", api::kLeases.api_version()},
                        {"kind", api::kLeases.kind},
                        {"metadata", {{"name", options_.lease.name}, {"namespace", options_.lease.ns}}},
                        {"spec", spec(now, {{"acquireTime", now}, {"leaseTransitions", 0}})}};
    const auto created = api_.create(api::kLeases, options_.lease.ns, lease);
    if (!created && created.error().code == ErrorCode::already_exists) return false;
    return remember(created, asked_at);
  }

  Result<bool> write(const std::string& version, const Json& spec, steady_clock::time_point asked_at) {
    const Json patch = {{"metadata", {{"resourceVersion", version}}}, {"spec", spec}};
    return remember(api_.merge_patch(api::kLeases, options_.lease, patch), asked_at);
  }

  /// Counted from before the request, for nobody knows when within it the server wrote.
  Result<bool> remember(const Result<Json>& written, steady_clock::time_point asked_at) {
    if (!written) return std::unexpected(written.error());
    version_ = string_at(*written, {"metadata", "resourceVersion"});
    renewed_at_ = asked_at;
    return true;
  }

  Api api_;
  const LeaderElection::Options& options_;
  std::string version_;  ///< of our last write; empty until we have held the lease
  std::string seen_version_;
  steady_clock::time_point seen_at_{}, renewed_at_{}, call_deadline_{};
};

milliseconds short_wait_until(steady_clock::time_point when) {
  return std::clamp(std::chrono::ceil<milliseconds>(when - steady_clock::now()), milliseconds{0}, kStopPoll);
}

/// The leader's work on its own thread.
class Work {
 public:
  Work(const std::function<void(const Term&)>& lead, Term& term)
      : term_(term), thread_([this, &lead] {
          lead(term_);
          const std::lock_guard lock(mutex_);
          over_ = true;
          ended_.notify_all();
        }) {}
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  ~Work() {
    term_.end();
    thread_.join();
  }
  bool wait_over(milliseconds limit) {
    std::unique_lock lock(mutex_);
    return ended_.wait_for(lock, limit, [this] { return over_; });
  }

 private:
  Term& term_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace

LeaderElection::LeaderElection(Config config, Options options)
    : config_(std::move(config)), options_(std::move(options)) {}

bool LeaderElection::run(const std::function<bool()>& stop, const std::function<void(const Term& term)>& lead) {
  Candidate candidate(config_, options_, stop);
  const auto sleep_until = [&stop](steady_clock::time_point when) {
    while (!stop() && steady_clock::now() < when) {
      std::this_thread::sleep_for(std::min<steady_clock::duration>(kStopPoll, when - steady_clock::now()));
    }
  };
  for (bool elected = false; !elected;) {
    if (stop()) return true;
    const auto acquired = candidate.acquire();
    elected = acquired.value_or(false);
    if (!acquired && acquired.error().code != ErrorCode::conflict) log_warning("{}", acquired.error().message);
    if (!elected) sleep_until(steady_clock::now() + options_.retry);
  }
  log_info("leading: lease {} is ours", api::to_string(options_.lease));

  bool lost = false, stopping = false;
  Term term;
  term.set_limit(candidate.lost_at());
  {
    Work work(lead, term);
    auto next_renewal = steady_clock::now() + options_.renew_every;
    // Renewed to the last moment: a leader that is winding down still needs its lease.
    while (!work.wait_over(lost ? kStopPoll : short_wait_until(next_renewal))) {
      stopping = stopping || stop();
      // The work may have seen the limit of its term pass while a renewal was on its way.
      if (!lost && (steady_clock::now() >= candidate.lost_at() || (!stopping && term.over()))) {
        log_error("lease {}: not renewed in time, no longer leading", api::to_string(options_.lease));
        lost = true;
      }
      if (!lost && steady_clock::now() >= next_renewal) {
        const auto renewed = candidate.renew();
        next_renewal = steady_clock::now() + (renewed ? options_.renew_every : options_.retry);
        if (!renewed) log_warning("{}", renewed.error().message);
        term.set_limit(candidate.lost_at());
        if (renewed && !*renewed) {
          log_error("lease {}: another holder has taken it, no longer leading", api::to_string(options_.lease));
          lost = true;
        }
      }
      if (lost || stopping) term.end();
    }
  }
  // The work may have ended because its term had run out, before anybody looked here.
  if (lost || (!stopping && term.over())) return false;
  candidate.release();
  return true;
}

}  // namespace stash::kube
