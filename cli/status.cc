#include "cli/status.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/codec.h"
#include "api/resource.h"
#include "cli/complaints.h"
#include "cli/newest_session.h"
#include "cli/object.h"
#include "cli/progress.h"
#include "cli/table.h"

namespace stash::cli {

namespace {

std::string created_of(const Json& object) { return string_at(object, {"metadata", "creationTimestamp"}); }

std::string target_of(const Json& object) {
  const std::string kind = string_at(object, {"spec", "target", "ref", "kind"});
  return kind.empty() ? "" : kind + "/" + string_at(object, {"spec", "target", "ref", "name"});
}

Json problems_of(const Json& object) {
  Json problems = Json::array();
  for (const Complaint& complaint : complaints_of(object))
    problems.push_back({{"type", complaint.type}, {"reason", complaint.reason}, {"message", complaint.message}});
  return problems;
}

Json session_report(const Json& session) {
  const Progress progress = progress_of(session);
  Json report = {{"name", name_of(session)}, {"created", created_of(session)}, {"phase", progress.phase}};
  for (const auto& [key, value] : {std::pair("hosts", progress.hosts), std::pair("percent", progress.percent),
                                   std::pair("bytes", progress.bytes), std::pair("remaining", progress.remaining),
                                   std::pair("step", progress.step), std::pair("attempt", progress.attempt),
                                   std::pair("reason", progress.reason), std::pair("message", progress.message)}) {
    if (!value.empty()) report[key] = value;
  }
  return report;
}

Json repository_report(const StatusWorld& world, const std::string& ns, const std::string& name) {
  Json report = {{"name", name}};
  for (const Json& repository : world.repositories) {
    if (ns_of(repository) != ns || name_of(repository) != name) continue;
    const auto decoded = api::decode<api::Repository>(repository);
    if (!decoded) break;
    const api::RepositoryStatus& status = decoded->status;
    if (status.last_backup_time) report["lastBackup"] = format_time(*status.last_backup_time);
    if (!status.total_size.empty()) report["size"] = status.total_size;
    if (status.integrity) report["intact"] = *status.integrity;
    report["snapshots"] = status.snapshot_count;
    report["problems"] = problems_of(repository);
    // No condition tells it.
    if (status.integrity == false) {
      report["problems"].push_back({{"type", "Integrity"},
                                    {"reason", "Damaged"},
                                    {"message",
                                     "the last check of restic found damage; what to do: "
                                     "docs/runbooks/StashRepositoryDamaged.md"}});
    }
  }
  return report;
}

/// How the last ones of a BackupConfiguration were; null for none.
struct LastSessions {
  const Json* of_all = nullptr;
  const Json* that_ran = nullptr;
};

Json backup_report(const StatusWorld& world, const Json& configuration, const LastSessions& last) {
  Json report = {
      {"namespace", ns_of(configuration)},
      {"name", name_of(configuration)},
      {"target", target_of(configuration)},
      {"schedule", string_at(configuration, {"spec", "schedule"})},
      {"paused", bool_at(configuration, {"spec", "paused"})},
      {"phase", string_at(configuration, {"status", "phase"})},
      {"problems", problems_of(configuration)},
      {"repository",
       repository_report(world, ns_of(configuration), string_at(configuration, {"spec", "repository", "name"}))},
  };
  if (last.of_all != nullptr) report["session"] = session_report(*last.of_all);
  if (last.that_ran != nullptr) report["lastRun"] = session_report(*last.that_ran);
  return report;
}

Json restore_report(const StatusWorld& world, const Json& restore) {
  Json report = session_report(restore);
  report["namespace"] = ns_of(restore);
  report["target"] = target_of(restore);
  report["repository"] = string_at(restore, {"spec", "repository", "name"});
  report["replaced"] = is_replaced(restore, world.restores);
  return report;
}

std::string text_of(const Json& object, std::string_view field) { return string_at(object, {field}); }

std::vector<Cell> with_namespace(bool all, const Json& report, std::vector<Cell> cells) {
  if (all) cells.insert(cells.begin(), Cell{text_of(report, "namespace")});
  return cells;
}

std::string progress_text(const Json& session) {
  if (const std::string percent = text_of(session, "percent"); !percent.empty()) return percent;
  return text_of(session, "hosts");
}

std::string label(bool all, std::string_view kind, const Json& report, const std::string& ns) {
  return fmt::format("{} {}{}", kind, all ? ns + "/" : "", text_of(report, "name"));
}
std::string label(bool all, std::string_view kind, const Json& report) {
  return label(all, kind, report, text_of(report, "namespace"));
}

void append_problems(const Json& problems, const std::string& subject, bool colours, std::string& out) {
  for (const Json& problem : problems) {
    out += fmt::format("{} {}: {}\n", painted("!", Tone::bad, colours), subject, harmless(text_of(problem, "message")));
  }
}

/// How a session ended that did not succeed.
void append_end(const Json& session, const std::string& subject, bool colours, std::string& out) {
  const std::string told = why({.reason = text_of(session, "reason"), .message = text_of(session, "message")});
  out += fmt::format("{} {}: {}{}\n", painted("!", Tone::bad, colours), subject, text_of(session, "phase"),
                     told.empty() ? "" : ": " + told);
}

bool has_failed(const Json& session) { return tone_of_phase(text_of(session, "phase")) == Tone::bad; }
bool is_still_failed(const Json& restore) { return has_failed(restore) && !bool_at(restore, {"replaced"}); }

std::string problem_lines(const Json& report, bool all, bool colours) {
  std::string out;
  std::vector<std::string> repositories;
  for (const Json& backup : array_at(report, {"backups"})) {
    append_problems(array_at(backup, {"problems"}), label(all, "BackupConfiguration", backup), colours, out);
    if (bool_at(backup, {"paused"})) {
      out += fmt::format("- {} is paused: kubectl stash resume {} -n {}\n", label(all, "BackupConfiguration", backup),
                         text_of(backup, "name"), text_of(backup, "namespace"));
    }
    const Json& session = object_at(backup, {"session"});
    const Json& last_run = object_at(backup, {"lastRun"});
    const auto tell = [&](const Json& ended) {
      append_end(ended, label(all, "BackupSession", ended, text_of(backup, "namespace")), colours, out);
    };
    if (text_of(session, "phase") == "Skipped") tell(session);
    if (has_failed(last_run)) tell(last_run);
    const Json& repository = object_at(backup, {"repository"});
    const std::string name = text_of(backup, "namespace") + "/" + text_of(repository, "name");
    if (std::ranges::find(repositories, name) != repositories.end()) continue;
    repositories.push_back(name);
    append_problems(array_at(repository, {"problems"}), "Repository " + (all ? name : text_of(repository, "name")),
                    colours, out);
  }
  for (const Json& restore : array_at(report, {"restores"})) {
    if (!is_still_failed(restore)) continue;
    append_end(restore, label(all, "RestoreSession", restore), colours, out);
  }
  return out;
}

}  // namespace

Json status_report(const StatusWorld& world, const std::string& only) {
  Json backups = Json::array(), restores = Json::array();
  std::vector<std::pair<std::string, std::string>> repositories;
  const auto newest = newest_sessions(world.sessions), ran = newest_that_ran(world.sessions);
  const auto last_of = [](const auto& sessions, const Json& configuration) {
    const auto found = sessions.find(ref_of(configuration));
    return found == sessions.end() ? nullptr : found->second;
  };
  for (const Json& configuration : world.configurations) {
    if (!only.empty() && name_of(configuration) != only) continue;
    backups.push_back(
        backup_report(world, configuration, {last_of(newest, configuration), last_of(ran, configuration)}));
    repositories.emplace_back(ns_of(configuration), string_at(configuration, {"spec", "repository", "name"}));
  }
  for (const Json& restore : world.restores) {
    const std::pair repository(ns_of(restore), string_at(restore, {"spec", "repository", "name"}));
    if (!only.empty() && std::ranges::find(repositories, repository) == repositories.end()) continue;
    restores.push_back(restore_report(world, restore));
  }
  return {{"backups", std::move(backups)}, {"restores", std::move(restores)}};
}

bool in_trouble(const Json& report) {
  const auto troubled = [](const Json& backup) {
    const std::string phase = text_of(backup, "phase");
    return phase == "NotReady" || phase == "Invalid" || has_failed(object_at(backup, {"lastRun"})) ||
           !bool_at(backup, {"repository", "intact"}, true);
  };
  return std::ranges::any_of(array_at(report, {"backups"}), troubled) ||
         std::ranges::any_of(array_at(report, {"restores"}), is_still_failed);
}

std::string render_status(const Json& report, bool all, bool colours, TimePoint now) {
  Table backups{
      {"BACKUP", "TARGET", "SCHEDULE", "READY", "LAST SESSION", "AGE", "PROGRESS", "LAST BACKUP", "SNAPSHOTS", "SIZE"},
      {}};
  if (all) backups.head.insert(backups.head.begin(), "NAMESPACE");
  for (const Json& backup : array_at(report, {"backups"})) {
    const Json& session = object_at(backup, {"session"});
    const Json& repository = object_at(backup, {"repository"});
    const std::string phase = text_of(session, "phase");
    const std::string ready = bool_at(backup, {"paused"}) ? "Paused" : text_of(backup, "phase");
    backups.rows.push_back(
        with_namespace(all, backup,
                       {{text_of(backup, "name"), Tone::bold},
                        {text_of(backup, "target")},
                        {text_of(backup, "schedule")},
                        {ready, tone_of_phase(ready)},
                        {session.empty() ? "" : (phase.empty() ? "new" : phase), tone_of_phase(phase)},
                        {age(text_of(session, "created"), now)},
                        {is_over(phase) ? "" : progress_text(session)},
                        {age(text_of(repository, "lastBackup"), now)},
                        {repository.contains("snapshots") ? std::to_string(int_at(repository, {"snapshots"})) : ""},
                        {text_of(repository, "size")}}));
  }
  Table restores{{"RESTORE", "TARGET", "REPOSITORY", "PHASE", "AGE", "PROGRESS"}, {}};
  if (all) restores.head.insert(restores.head.begin(), "NAMESPACE");
  for (const Json& restore : array_at(report, {"restores"})) {
    const std::string phase = text_of(restore, "phase");
    restores.rows.push_back(with_namespace(all, restore,
                                           {{text_of(restore, "name"), Tone::bold},
                                            {text_of(restore, "target")},
                                            {text_of(restore, "repository")},
                                            {phase.empty() ? "new" : phase, tone_of_phase(phase)},
                                            {age(text_of(restore, "created"), now)},
                                            {is_over(phase) ? "" : progress_text(restore)}}));
  }
  std::string out = render_table(backups, colours);
  if (out.empty()) out = "No BackupConfiguration found.\n";
  if (!restores.rows.empty()) out += "\n" + render_table(restores, colours);
  if (const std::string problems = problem_lines(report, all, colours); !problems.empty()) out += "\n" + problems;
  return out;
}

}  // namespace stash::cli
