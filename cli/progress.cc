#include "cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/names.h"
#include "api/restore_attempts.h"
#include "base/time.h"
#include "cli/object.h"
#include "cli/table.h"

namespace stash::cli {

namespace {

constexpr std::size_t kBar = 24;

const Json* condition(const Json& object, std::string_view type) {
  const Json& conditions = array_at(object, {"status", "conditions"});
  const auto found = std::ranges::find_if(
      conditions, [type](const Json& condition) { return string_at(condition, {"type"}) == type; });
  return found == conditions.end() ? nullptr : &*found;
}

bool is_done(std::string_view phase) { return phase == "Succeeded" || phase == "Failed"; }

std::string count_hosts(const Json& session) {
  const Json& hosts = array_at(session, {"status", "stats"});
  const auto done = std::ranges::count_if(hosts, [](const Json& host) { return is_done(string_at(host, {"phase"})); });
  const auto total =
      std::max<std::int64_t>(int_at(session, {"status", "totalHosts"}), static_cast<std::int64_t>(hosts.size()));
  return total == 0 ? "" : fmt::format("{}/{}", done, total);
}

std::string message_of(const Json& session, std::string_view phase) {
  for (const std::string_view type :
       {phase == "Skipped" ? api::names::kBackupSkipped : api::names::kReady, api::names::kCompleted}) {
    const Json* found = condition(session, type);
    if (std::string text = found == nullptr ? "" : string_at(*found, {"message"}); !text.empty()) return text;
  }
  return "";
}

/// Where nothing was begun, no pod waits with it.
bool is_tried_again(const Json& host) {
  const auto attempts = int_at(host, {"attempts"});
  return attempts > 0 && api::has_attempt_left(string_at(host, {"phase"}), attempts);
}

/// Of the host that needed most. While one waits for its next attempt the message tells the one that failed.
std::string attempt_of(const Json& session) {
  std::int64_t most = 0;
  for (const Json& host : array_at(session, {"status", "stats"})) {
    if (!is_done(string_at(host, {"phase"}))) most = std::max(most, int_at(host, {"attempts"}));
  }
  return most > 1 ? fmt::format("attempt {} of {}", most, api::kRestoreAttempts) : "";
}

std::optional<double> number_before(std::string_view text, char end) {
  const auto at = text.find(end);
  double number = 0;
  const char* last = text.data() + (at == std::string_view::npos ? text.size() : at);
  const auto [stop, error] = std::from_chars(text.data(), last, number);
  if (at == std::string_view::npos || error != std::errc{} || stop != last) return std::nullopt;
  return number;
}

std::string bar(double fraction) {
  const auto full = static_cast<std::size_t>(fraction * static_cast<double>(kBar));
  return "[" + std::string(full, '#') + std::string(kBar - full, '.') + "]";
}

void add(std::string& line, std::string_view part) {
  if (part.empty()) return;
  if (!line.empty()) line += "  ";
  line += harmless(part);
}

/// "23.715288282s" is "24s".
std::string rounded(const std::string& duration) {
  const auto time = parse_duration(duration);
  if (!time) return duration;
  if (*time < std::chrono::seconds(10))
    return format_duration(std::chrono::round<std::chrono::duration<int64_t, std::deci>>(*time));
  return format_duration(std::chrono::round<std::chrono::seconds>(*time));
}

std::string snapshots_text(const Json& host) {
  std::string text;
  for (const Json& snapshot : array_at(host, {"snapshots"})) {
    std::string path = string_at(snapshot, {"path"});
    if (path.empty()) path = string_at(snapshot, {"directory"});
    std::string size = string_at(snapshot, {"totalSize"});
    if (size.empty()) size = string_at(snapshot, {"size"});
    text += fmt::format("{}{} of {}", text.empty() ? "" : ", ", string_at(snapshot, {"name"}), path);
    // A restore has none.
    if (!size.empty()) text += fmt::format(" ({})", size);
  }
  return text;
}

/// Of sessions of later releases of Stash too.
std::vector<const Json*> hosts_of(const Json& session) {
  std::vector<const Json*> hosts;
  for (const Json& host : array_at(session, {"status", "stats"})) hosts.push_back(&host);
  if (!hosts.empty()) return hosts;
  for (const Json& target : array_at(session, {"status", "targets"})) {
    for (const Json& host : array_at(target, {"stats"})) hosts.push_back(&host);
  }
  return hosts;
}

}  // namespace

Progress progress_of(const Json& session) {
  const auto told = [&](std::string_view field) { return string_at(session, {"status", "progress", field}); };
  Progress progress{.phase = string_at(session, {"status", "phase"}),
                    .hosts = told("hosts"),
                    .percent = told("percent"),
                    .bytes = told("bytes"),
                    .remaining = told("remaining"),
                    .step = told("step"),
                    .attempt = attempt_of(session),
                    .reason = string_at(session, {"status", "reason"}),
                    .message = ""};
  progress.message = message_of(session, progress.phase);
  if (progress.hosts.empty()) progress.hosts = count_hosts(session);
  return progress;
}

std::string why(const Progress& progress) {
  if (progress.message.empty() || progress.reason.empty()) return harmless(progress.message + progress.reason);
  return harmless(fmt::format("{} ({})", progress.message, progress.reason));
}

std::optional<double> fraction_of(const Progress& progress) {
  std::optional<double> fraction;
  if (const auto percent = number_before(progress.percent, '%')) {
    fraction = *percent / 100;
  } else if (const auto done = number_before(progress.hosts, '/')) {
    const auto total = number_before(progress.hosts.substr(progress.hosts.find('/') + 1) + " ", ' ');
    if (total && *total > 0) fraction = *done / *total;
  }
  if (!fraction) return std::nullopt;
  return std::clamp(*fraction, 0.0, 1.0);
}

std::string progress_line(const Progress& progress, std::size_t columns) {
  std::string line;
  if (const auto fraction = fraction_of(progress)) line = bar(*fraction);
  add(line, progress.percent);
  if (!progress.hosts.empty()) add(line, progress.hosts + " hosts");
  add(line, progress.bytes);
  if (!progress.remaining.empty()) add(line, progress.remaining + " left");
  add(line, progress.step.empty() ? (progress.phase.empty() ? "waiting for stash-controller" : progress.phase)
                                  : progress.step);
  add(line, progress.attempt);
  if (progress.phase != "Running") add(line, why(progress));
  // Cut between characters.
  while (columns_of(line) > columns) {
    do {
      line.pop_back();
    } while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0u) == 0x80u);
    if (!line.empty() && static_cast<unsigned char>(line.back()) >= 0xC0u) line.pop_back();
  }
  return line;
}

std::string progress_note(const Progress& progress) {
  std::string line(progress.phase.empty() ? "waiting for stash-controller" : progress.phase);
  if (!progress.hosts.empty()) add(line, progress.hosts + " hosts");
  add(line, progress.step);
  add(line, progress.attempt);
  if (progress.phase != "Running") add(line, why(progress));
  return line;
}

bool is_over(std::string_view phase) {
  return phase == "Succeeded" || phase == "Failed" || phase == "Skipped" || phase == "Unknown" || phase == "Invalid";
}

bool has_ended(const Json& session) {
  const std::string phase = string_at(session, {"status", "phase"});
  if (phase != "Failed") return is_over(phase);
  const Json* deadline = condition(session, api::names::kDeadlineExceeded);
  if (deadline != nullptr && string_at(*deadline, {"status"}) == "True") return true;
  if (string_at(session, {"status", "reason"}) == api::names::kSuperseded) return true;
  return std::ranges::none_of(array_at(session, {"status", "stats"}), is_tried_again);
}

std::string render_hosts(const Json& session, bool colours) {
  Table table{{"HOST", "PHASE", "DURATION", "SNAPSHOTS", "ERROR"}, {}};
  for (const Json* host : hosts_of(session)) {
    const std::string phase = string_at(*host, {"phase"});
    table.rows.push_back({{string_at(*host, {"hostname"})},
                          {phase, tone_of_phase(phase)},
                          {rounded(string_at(*host, {"duration"}))},
                          {snapshots_text(*host)},
                          {string_at(*host, {"error"}), Tone::bad}});
  }
  // Columns that say nothing of any host.
  for (std::size_t column = table.head.size(); column-- > 2;) {
    if (std::ranges::any_of(table.rows, [column](const auto& row) { return !row[column].text.empty(); })) continue;
    table.head.erase(table.head.begin() + static_cast<std::ptrdiff_t>(column));
    for (auto& row : table.rows) row.erase(row.begin() + static_cast<std::ptrdiff_t>(column));
  }
  return render_table(table, colours);
}

std::string verdict(const Json& session) {
  const std::string phase = string_at(session, {"status", "phase"});
  std::string text =
      fmt::format("{} {} {}", string_at(session, {"kind"}), ref_of(session), phase.empty() ? "has not begun" : phase);
  if (const std::string took = string_at(session, {"status", "sessionDuration"}); phase == "Succeeded" && !took.empty())
    text += " after " + took;
  if (const std::string told = why(progress_of(session)); phase != "Succeeded" && !told.empty()) text += ": " + told;
  return text;
}

}  // namespace stash::cli
