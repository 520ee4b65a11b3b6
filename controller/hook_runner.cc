#include "controller/hook_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "base/backoff.h"
#include "base/log.h"

namespace stash::controller {
namespace {

std::string name_of(const HookRequest& request) {
  return fmt::format("BackupSession {}, host {}, {}", to_string(request.session), request.host, request.action);
}

bool is_outage(ErrorCode code) {
  return code == ErrorCode::unreachable || code == ErrorCode::timed_out || code == ErrorCode::throttled;
}

/// Where nothing has been run, or where running it twice is better than not at all.
bool may_be_repeated(const HookRequest& request, ErrorCode code) {
  if (code == ErrorCode::timed_out) return request.action == kPostBackup;
  return code == ErrorCode::unreachable || code == ErrorCode::throttled;
}

std::chrono::milliseconds next_wait(const Error& error, Backoff& backoff) {
  return std::max<std::chrono::milliseconds>(backoff.next(), error.retry_after.value_or(std::chrono::seconds(0)));
}

std::string random_name() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

std::string sentence_of(const HookCommand& command, const kube::ExecOutcome& outcome) {
  if (outcome.exit_code == 0) return "";
  return fmt::format("container {}: exit code {}{}{}", command.container, outcome.exit_code,
                     outcome.said.empty() ? "" : ": ", outcome.said);
}

}  // namespace

HookRunner::HookRunner(kube::Config config, Exec exec, Wake wake, const Clock& clock, Limits limits)
    : config_(std::move(config)),
      exec_(std::move(exec)),
      wake_(std::move(wake)),
      clock_(clock),
      limits_(limits),
      name_(random_name()) {}
HookRunner::HookRunner(kube::Config config, Exec exec, Wake wake, const Clock& clock)
    : HookRunner(std::move(config), std::move(exec), std::move(wake), clock, Limits()) {}
HookRunner::~HookRunner() { shut_down(); }

bool HookRunner::is_in_hand(const HookRequest& request) const {
  const std::scoped_lock lock(mutex_);
  const auto job = jobs_.find({request.session_uid, request.host});
  return job != jobs_.end() && !job->second.done && is_same_request(job->second.step.request, request);
}

bool HookRunner::is_taken_unbegun(const HookRequest& request) const {
  const std::scoped_lock lock(mutex_);
  const auto take = takes_.find({request.session_uid, request.host});
  return request.taken_by == name_ && take != takes_.end() && !take->second.begun &&
         is_same_request(take->second.request, request);
}

std::size_t HookRunner::free_places(std::string_view action, const std::string& ns) const {
  const bool thaws = action == kPostBackup;
  const Places& places = thaws ? limits_.post_backup : limits_.pre_backup;
  std::size_t all = 0, of_namespace = 0;
  for (const auto& [host, job] : jobs_) {
    // Nobody waits for those that run unasked: they begin without room, and take none.
    if (job.done || job.unasked || (job.step.request.action == kPostBackup) != thaws) continue;
    ++all;
    if (job.step.request.session.ns == ns) ++of_namespace;
  }
  if (all >= places.most || of_namespace >= places.most_of_a_namespace) return 0;
  return std::min(places.most - all, places.most_of_a_namespace - of_namespace);
}

HookRoom HookRunner::room(const std::string& ns) const {
  const std::scoped_lock lock(mutex_);
  return {free_places(kPreBackup, ns), free_places(kPostBackup, ns)};
}

void HookRunner::wake_for_room(const api::ObjectRef& session) {
  const std::scoped_lock lock(mutex_);
  turned_away_.insert(session);
}

void HookRunner::reap() {
  std::erase_if(jobs_, [](const auto& job) { return job.second.done.load(); });
}

void HookRunner::start(HookStep step) {
  const std::scoped_lock lock(mutex_);
  if (stop_) return;
  reap();
  const Host host{step.request.session_uid, step.request.host};
  if (const auto other = jobs_.find(host); other != jobs_.end()) {
    Job& job = other->second;
    // Whoever waited for it has given up: now it only keeps the application from thawing.
    if (step.request.action == kPostBackup) stop_waiting(job);
    return;
  }
  if (free_places(step.request.action, step.request.session.ns) == 0) {
    turned_away_.insert(step.request.session);
    return;
  }
  begin(host, std::move(step), false);
}

void HookRunner::stop_waiting(Job& job) {
  if (job.step.request.action != kPreBackup) return;
  job.replaced = true;
  changed_.notify_all();
}

void HookRunner::begin(const Host& host, HookStep step, bool unasked) {
  Job& job = jobs_[host];
  job.step = std::move(step);
  job.unasked = unasked;
  job.thread = std::jthread([this, &job] { work(job); });
}

void HookRunner::settle(const api::ObjectRef& session, const std::string& uid, bool open) {
  const std::scoped_lock lock(mutex_);
  if (stop_) return;
  reap();
  std::erase_if(takes_, [&](const auto& entry) {
    const HookRequest& request = entry.second.request;
    return request.session == session && !(open && request.session_uid == uid);
  });
  for (auto frozen = frozen_.begin(); frozen != frozen_.end();) {
    const auto& [host, step] = *frozen;
    if (step.request.session != session || (open && step.request.session_uid == uid)) {
      ++frozen;
      continue;
    }
    if (const auto job = jobs_.find(host); job != jobs_.end()) {
      stop_waiting(job->second);  // its end wakes the session, which brings us here again
      ++frozen;
      continue;
    }
    begin(host, step, true);
    frozen = frozen_.erase(frozen);
  }
}

void HookRunner::work(Job& job) {
  kube::Api api(config_);
  api.set_cancel([this] { return stop_.load(); });
  if (job.unasked) {
    thaw(api, job);
  } else {
    serve(api, job);
  }
  std::set<api::ObjectRef> woken{job.step.request.session};
  {
    const std::scoped_lock lock(mutex_);
    woken.merge(turned_away_);
    turned_away_.clear();
    job.done = true;
  }
  if (stop_) return;
  for (const api::ObjectRef& session : woken) wake_(session);
}

void HookRunner::thaw(kube::Api& api, Job& job) {
  const HookRequest& request = job.step.request;
  Backoff backoff;
  while (true) {
    const auto pod = api.get(api::kPods, job.step.run->pod);
    if (pod ? !is_pod_of(request, *pod) : pod.error().code == ErrorCode::not_found) return;
    if (is_frozen_anew(job)) {
      return log_info("{}: not run, for the next backup has frozen pod {}, and thaws it", name_of(request),
                      request.pod);
    }
    if (pod) log_info("{}: its session is over, so it is run unasked in pod {}", name_of(request), request.pod);
    const auto ended = pod ? run(job) : Result<std::string>(std::unexpected(pod.error()));
    if (ended) {
      if (!ended->empty()) log_error("{}: {}", name_of(request), *ended);
      return;
    }
    const Error& unable = ended.error();
    if (unable.code == ErrorCode::cancelled) return;
    if (pod && !may_be_repeated(request, unable.code)) return log_error("{}: {}", name_of(request), unable.message);
    // As long as it takes: nobody else knows of it any more.
    log_warning("{}: its session is over and it could not be run: {}; trying again", name_of(request), unable.message);
    if (!pause(next_wait(unable, backoff))) return;
  }
}

bool HookRunner::is_frozen_anew(const Job& job) const {
  const std::scoped_lock lock(mutex_);
  return std::ranges::any_of(frozen_, [&job](const auto& entry) {
    const HookStep& other = entry.second;
    return other.request.pod_uid == job.step.request.pod_uid && other.run == job.step.run;
  });
}

void HookRunner::serve(kube::Api& api, Job& job) {
  HookStep step = job.step;
  if (!step.run) {
    log_warning("{}: not run: {}", name_of(step.request), step.refusal);
    report(api, step.request, step.refusal);
  } else if (take(api, step)) {
    log_info("{}: running it in container {} of pod {}", name_of(step.request), step.run->container, step.request.pod);
    const auto ended = run(job);
    if (!ended && ended.error().code == ErrorCode::cancelled) return;
    const std::string error = ended ? *ended : ended.error().message;
    log_info("{}: {}", name_of(step.request), error.empty() ? "succeeded" : error);
    report(api, step.request, error);
  }
}

bool HookRunner::take(kube::Api& api, HookStep& step) {
  HookRequest& request = step.request;
  const Host host{request.session_uid, request.host};
  {
    const std::scoped_lock lock(mutex_);
    Take& take = takes_[host];
    // An old copy of the session may show as Requested what has begun.
    if (!is_same_request(take.request, request)) take = {request};
  }
  const auto taken = api.json_patch(request.place.resource, request.place.ref, take_operations(request, name_),
                                    request.place.subresource);
  if (!taken) {
    // Somebody was faster, or the next look tries again. It may have been applied and its answer lost: then that look
    // finds it Running under our name, and knows from takes_ that nothing has begun.
    log_debug("{}: not taken: {}", name_of(request), taken.error().message);
    return false;
  }
  request.phase = kHookRunning;
  const std::scoped_lock lock(mutex_);
  takes_[host].begun = true;
  frozen_.erase(host);
  if (step.thaw) {
    HookStep& thaw = frozen_[host];
    thaw.request = request;
    thaw.request.action = kPostBackup;
    thaw.run = step.thaw;
  }
  return true;
}

Result<std::string> HookRunner::run(Job& job) {
  const HookRequest& request = job.step.request;
  const HookCommand& command = *job.step.run;
  const auto cancelled = [&] { return stop_ || job.replaced; };
  const auto end = clock_.steady() + command.timeout;
  Backoff backoff;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - clock_.steady());
    const auto ended = exec_({command.pod, command.container, command.command, left}, cancelled);
    if (ended) return sentence_of(command, *ended);
    const ErrorCode code = ended.error().code;
    if (code == ErrorCode::timed_out && clock_.steady() >= end) {
      return fmt::format("container {}: it has not ended within {}, and may go on", command.container,
                         format_duration(command.timeout));
    }
    const auto wait = next_wait(ended.error(), backoff);
    if (!may_be_repeated(request, code) || clock_.steady() + wait >= end) return std::unexpected(ended.error());
    log_warning("{}: {}; trying again", name_of(request), ended.error().message);
    if (!pause(wait, &job)) return fail(ErrorCode::cancelled, "stopped");
  }
}

void HookRunner::report(kube::Api& api, HookRequest request, const std::string& error) {
  Backoff backoff;
  while (!stop_) {
    const auto written = api.json_patch(request.place.resource, request.place.ref, outcome_operations(request, error),
                                        request.place.subresource);
    if (written) return;
    const ErrorCode code = written.error().code;
    if (code == ErrorCode::conflict || code == ErrorCode::invalid) {
      // The list may have been written anew, with the host at another place.
      const auto object = api.get(request.place.resource, request.place.ref);
      const auto now = object ? hook_now(*object, request) : std::nullopt;
      if (object && (!now || !is_same_request(*now, request) || now->phase != request.phase)) {
        log_debug("{}: the request is gone, nobody wants to know: {}", name_of(request), written.error().message);
        return;
      }
      if (now) request.place = now->place;
    } else if (!is_outage(code)) {
      log_warning("{}: its end was not written: {}", name_of(request), written.error().message);
      return;
    }
    if (!pause(backoff.next())) return;
  }
}

bool HookRunner::pause(std::chrono::milliseconds time, const Job* job) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [&] { return stop_ || (job != nullptr && job->replaced); });
}

void HookRunner::shut_down() {
  std::map<Host, Job> jobs;
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
    changed_.notify_all();
    jobs.swap(jobs_);  // the nodes, and with them what the threads refer to, stay where they are
  }
  jobs.clear();  // joins
}

}  // namespace stash::controller
