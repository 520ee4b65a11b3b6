#include "controller/hosts.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"

namespace stash::controller {
namespace {

std::string phase_of(const Json& host) {
  const std::string phase = string_at(host, {"phase"});
  return phase.empty() ? std::string(kHostPending) : phase;
}

bool has_volumes_in_use(const Json& host) {
  return phase_of(host) == kHostRunning && at(host, {"claim"}) != nullptr && at(host, {"backedUp"}) == nullptr;
}

void set_failed(Json& host, const std::string& error) {
  host["phase"] = kHostFailed;
  host["error"] = error;
  host.erase("claim");
  host.erase("backedUp");
}

}  // namespace

bool uses_volumes(const Json& stats) { return std::ranges::any_of(stats, has_volumes_in_use); }

bool may_use_volumes(const Json& stats) {
  return std::ranges::any_of(
      stats, [](const Json& host) { return phase_of(host) == kHostPending || has_volumes_in_use(host); });
}

void ask_to_stop(Json& stats, const std::string& why) {
  for (Json& host : stats) {
    if (has_volumes_in_use(host) && string_at(host, {"claim", "stop"}).empty()) host["claim"]["stop"] = why;
  }
}

void add_missing_hosts(Json& stats, const std::vector<std::string>& expected) {
  if (!stats.is_array()) stats = Json::array();
  std::set<std::string> known;
  for (const Json& host : stats) known.insert(string_at(host, {"hostname"}));
  for (const std::string& hostname : expected) {
    if (known.insert(hostname).second) stats.push_back({{"hostname", hostname}, {"phase", kHostPending}});
  }
}

Tally tally(const Json& stats) {
  Tally sum;
  if (!stats.is_array()) return sum;
  for (const Json& host : stats) {
    ++sum.total;
    const std::string phase = phase_of(host);
    if (phase == kHostPending) {
      ++sum.pending;
    } else if (phase == kHostRunning) {
      ++sum.running;
    } else if (phase == kHostSucceeded) {
      ++sum.succeeded;
    } else {
      ++sum.failed;
    }
  }
  return sum;
}

std::string hosts_in(const Json& stats, std::string_view phase) {
  std::vector<std::string> names;
  for (const Json& host : stats) {
    if (phase_of(host) == phase) names.push_back(string_at(host, {"hostname"}));
  }
  return first_of(std::move(names), ", ");
}

std::string errors_of(const Json& stats) {
  std::vector<std::string> errors;
  for (const Json& host : stats) {
    const std::string phase = phase_of(host);
    if (phase == kHostSucceeded || phase == kHostPending || phase == kHostRunning) continue;
    errors.push_back(
        fmt::format("{}: {}", string_at(host, {"hostname"}), string_at(host, {"error"}, "failed without a message")));
  }
  return first_of(std::move(errors), "; ");
}

std::vector<std::string> give_back(Json& stats, const std::optional<std::vector<PodFacts>>& pods, Json& lost) {
  std::vector<std::string> said;
  if (!pods) return said;
  std::set<std::string> living;
  for (const PodFacts& pod : *pods) {
    if (is_alive(pod) && !pod.uid.empty()) living.insert(pod.uid);
  }
  for (Json& host : stats) {
    if (phase_of(host) != kHostRunning || living.contains(string_at(host, {"claim", "podUID"}))) continue;
    said.push_back(fmt::format("{}: pod {} is gone before it was done; another pod takes over",
                               string_at(host, {"hostname"}), string_at(host, {"claim", "podName"}, "(unnamed)")));
    Json claim = object_at(host, {"claim"});
    claim.erase("stop");
    lost.push_back(std::move(claim));
    host["phase"] = kHostPending;
    host.erase("claim");
    host.erase("backedUp");
    host.erase("hook");
    host.erase("progress");
  }
  return said;
}

std::vector<std::string> fail_stalled(Json& stats, const std::map<std::string, std::chrono::seconds>& silent_for,
                                      std::chrono::seconds limit) {
  std::vector<std::string> said;
  for (Json& host : stats) {
    if (phase_of(host) != kHostRunning) continue;
    const std::string hostname = string_at(host, {"hostname"});
    const auto silence = silent_for.find(hostname);
    if (silence == silent_for.end() || silence->second < limit) continue;
    const std::string error = fmt::format(
        "stalled: pod {} is running but showed no progress for {} minutes; see the log of its Stash container",
        string_at(host, {"claim", "podName"}), std::chrono::duration_cast<std::chrono::minutes>(limit).count());
    set_failed(host, error);
    said.push_back(fmt::format("{}: {}", hostname, error));
  }
  return said;
}

std::vector<std::string> fail_hosts(Json& stats, std::string_view phase, const std::string& error) {
  return fail_hosts(stats, phase, [&](const std::string&) { return error; });
}

std::vector<std::string> fail_hosts(Json& stats, std::string_view phase,
                                    const std::function<std::string(const std::string& host)>& error) {
  std::vector<std::string> said;
  for (Json& host : stats) {
    if (phase_of(host) != phase) continue;
    const std::string hostname = string_at(host, {"hostname"});
    const std::string why = error(hostname);
    if (why.empty()) continue;
    set_failed(host, why);
    said.push_back(fmt::format("{}: {}", hostname, why));
  }
  return said;
}

Json finished_hosts(const Json& stats) {
  Json finished = Json::array();
  for (Json host : stats) {
    const std::string phase = phase_of(host);
    if (phase == kHostPending || phase == kHostRunning) continue;
    if (host.is_object()) {
      for (const char* ours : {"claim", "backedUp", "conditions", "progress", "incomplete"}) host.erase(ours);
    }
    finished.push_back(std::move(host));
  }
  return finished;
}

}  // namespace stash::controller
