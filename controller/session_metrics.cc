#include "controller/session_metrics.h"

#include <algorithm>

#include "api/workload_kind.h"
#include "base/gauge_text.h"

namespace stash::controller {
namespace {

constexpr std::string_view kBackupJob = "stash-backup";
constexpr std::string_view kRestoreJob = "stash-restore";
constexpr std::string_view kInvoker = "invoker";
constexpr std::string_view kHost = "hostname";

bool has_result(std::string_view phase) { return phase == "Succeeded" || phase == "Failed"; }

std::string render(std::string_view what, const api::TargetRef& target, const std::string& ns,
                   const std::string& repository, bool success, const std::string& duration, std::optional<int> hosts) {
  GaugeText text({{"driver", "Restic"},
                  {"kind", target.kind},
                  {"group", api::workload_group(target.api_version)},
                  {"name", target.name},
                  {"namespace", ns},
                  {"repository", repository}});
  const auto time = parse_duration(duration);
  text.gauge(fmt::format("stash_{}_session_success", what),
             fmt::format("Whether the last {} of all hosts succeeded", what), success ? 1 : 0);
  if (time) {
    text.gauge(fmt::format("stash_{}_session_duration_seconds", what),
               fmt::format("Time from the begin of the last {} session to its end", what),
               std::chrono::duration<double>(*time).count());
  }
  text.gauge(fmt::format("stash_{}_host_count_total", what), fmt::format("Hosts of the last {} session", what),
             hosts.value_or(0));
  return text.take();
}

/// Only metrics that we push, besides those that the Pushgateway adds.
bool is_ours(const Json& group) {
  bool ours = false;
  for (const auto& [key, value] : group.items()) {
    if (key == "labels" || key == "last_push_successful" || key == "push_time_seconds" ||
        key == "push_failure_time_seconds") {
      continue;
    }
    if (!key.starts_with("stash_")) return false;
    ours = true;
  }
  return ours;
}

}  // namespace

std::string group_url(std::string_view pushgateway, const PushedGroup& group) {
  return push_group_url(pushgateway, {{"job", group.job}, {"namespace", group.ns}, {group.label, group.value}});
}

PushedGroup backup_group(const std::string& ns, const std::string& configuration) {
  return {std::string(kBackupJob), ns, std::string(kInvoker), configuration};
}

PushedGroup restore_group(const std::string& ns, const std::string& session) {
  return {std::string(kRestoreJob), ns, std::string(kInvoker), session};
}

std::optional<std::string> render_session_metrics(const api::BackupSession& session,
                                                  const api::BackupConfiguration& configuration) {
  const auto& target = configuration.spec.target;
  if (!target || !has_result(session.status.phase)) return std::nullopt;
  return render("backup", target->ref, session.metadata.ns, configuration.spec.repository,
                session.status.phase == "Succeeded", session.status.session_duration, session.status.total_hosts);
}

std::optional<std::string> render_session_metrics(const api::RestoreSession& session) {
  const auto& target = session.spec.target;
  if (!target || !has_result(session.status.phase)) return std::nullopt;
  return render("restore", target->ref, session.metadata.ns, session.spec.repository,
                session.status.phase == "Succeeded", session.status.session_duration, session.status.total_hosts);
}

HostsOfConfigurations hosts_still_backed_up(const std::vector<api::BackupSession>& sessions) {
  const auto configuration = [](const api::BackupSession& session) {
    return fmt::format("{}/{}", session.metadata.ns, api::configuration_of(session).value_or(""));
  };
  // Of a session that failed before it knew its hosts nothing can be learnt.
  const auto speaks = [](const api::BackupSession& session) {
    return has_result(session.status.phase) && !session.status.stats.empty();
  };
  std::map<std::string, TimePoint> since;
  for (const api::BackupSession& session : sessions) {
    if (!speaks(session)) continue;
    TimePoint& newest = since.try_emplace(configuration(session), session.metadata.created).first->second;
    newest = std::max(newest, session.metadata.created);
  }
  HostsOfConfigurations hosts;
  for (const api::BackupSession& session : sessions) {
    const auto from = since.find(configuration(session));
    if (from == since.end() || session.metadata.created < from->second) continue;
    for (const api::HostStats& host : session.status.stats) hosts[from->first].insert(host.hostname);
  }
  return hosts;
}

std::vector<PushedGroup> our_groups(const Json& answer) {
  std::vector<PushedGroup> ours;
  for (const Json& group : array_at(answer, {"data"})) {
    const Json& labels = object_at(group, {"labels"});
    const auto value = [&](std::string_view name) { return string_at(labels, {name}); };
    const std::string_view last = labels.contains(kInvoker) ? kInvoker : kHost;
    if (labels.size() != 3 || value("job").empty() || value("namespace").empty() || !labels.contains(last)) continue;
    if (is_ours(group)) ours.push_back({value("job"), value("namespace"), std::string(last), value(last)});
  }
  return ours;
}

bool is_living(const PushedGroup& group, const Living& living) {
  const bool session = group.label == kInvoker;
  const std::string key = fmt::format("{}/{}", group.ns, session ? group.value : group.job);
  const bool backs_up = living.configurations.contains(key), restores = living.restores.contains(key);
  if (session) return group.job == kBackupJob ? backs_up : group.job == kRestoreJob ? restores : true;
  const auto hosts = living.hosts.find(key);
  const bool has_host = backs_up && (hosts == living.hosts.end() || hosts->second.contains(group.value));
  return has_host || restores;
}

std::vector<PushedGroup> stale_groups(const Json& answer, const Living& living) {
  std::vector<PushedGroup> stale = our_groups(answer);
  std::erase_if(stale, [&](const PushedGroup& group) { return is_living(group, living); });
  return stale;
}

}  // namespace stash::controller
