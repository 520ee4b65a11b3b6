#include "sidecar/restic.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/process.h"
#include "sidecar/directory_times.h"
#include "sidecar/entries_in_the_way.h"
#include "sidecar/first_contact.h"
#include "sidecar/found_nodes.h"
#include "sidecar/half_made.h"
#include "sidecar/restore_patterns.h"
#include "sidecar/restored_on_disk.h"
#include "sidecar/scratch.h"

namespace stash::sidecar {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A list of many thousand snapshots is one line.
constexpr std::size_t kMaxLine = 256u << 20;
constexpr milliseconds kLongestLockRetry{60'000};
// Of restic's standard error, that are logged.
constexpr std::size_t kFewLines = 5, kMostLines = 50;

std::unexpected<ResticFailure> fail_with(ResticCause cause, std::string sentence) {
  return std::unexpected(ResticFailure{cause, std::move(sentence)});
}

bool has_entries(const fs::path& directory) {
  std::error_code problem;
  const fs::directory_iterator first(directory, problem);
  return !problem && first != fs::directory_iterator{};
}

std::string choose_location(const api::Backend& backend) {
  if (!backend.local) return "";
  const auto locations = local_locations(*backend.local);
  std::error_code problem;
  for (const std::string& location : locations) {
    if (fs::exists(location + "/config", problem)) return location;
  }
  return locations.front();
}

/// Looks at the directories that restic writes to first.
bool is_writable(const std::string& location) {
  std::error_code problem;
  for (const std::string& directory : {location, location + "/locks", location + "/data"}) {
    if (fs::exists(directory, problem) && ::eaccess(directory.c_str(), W_OK | X_OK) != 0) return false;
  }
  return true;
}

}  // namespace

StorageSecret read_secret(const std::string& directory) {
  StorageSecret secret;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(directory, problem)) {
    const std::string name = entry.path().filename();
    // "..data" and its like are how the kubelet replaces all files at once.
    if (name.starts_with("..") || !entry.is_regular_file(problem)) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    secret[name] = std::string(std::istreambuf_iterator<char>(file), {});
  }
  return secret;
}

ResticResult<ResticVersion> probe_restic(const ResticPlace& place) {
  ProcessSpec spec;
  spec.argv = {place.settings.program, "version"};
  spec.env = place.inherited;
  std::string output;
  const auto exit =
      run_process(spec, [&output](std::string_view line) { output.append(line).append("\n"); }, [] { return true; });
  if (!exit) return fail_with(ResticCause::unknown, "restic cannot be run: " + exit.error().message);
  const auto version = parse_restic_version(output);
  if (!version) {
    return fail_with(ResticCause::unknown,
                     fmt::format("`restic version` printed something else (exit code {})", exit->exit_code));
  }
  if (!version->is_supported()) {
    return fail_with(ResticCause::unknown,
                     fmt::format("restic {} is too old: 0.14.0 is the oldest supported", to_string(*version)));
  }
  return *version;
}

Restic::Restic(ResticCall call, bool local, ResticVersion version, ResticPlace place, std::vector<std::string> secrets,
               GoOn go_on)
    : call_(std::move(call)),
      local_(local),
      version_(version),
      place_(std::move(place)),
      secrets_(std::move(secrets)),
      go_on_(std::move(go_on)) {}

ResticResult<Restic> Restic::open(const api::Backend& backend, Access access, const ResticVersion& version,
                                  ResticPlace place, GoOn go_on) {
  const StorageSecret secret = read_secret(place.settings.secret_directory);
  const std::string location = choose_location(backend);
  auto call = restic_call(backend, location, secret, place.settings, place.inherited, version);
  if (!call) return fail_with(ResticCause::unknown, call.error().message);

  std::error_code problem;
  for (const std::string& directory : {place.settings.temp_directory, place.settings.cache_directory}) {
    fs::create_directories(directory, problem);
    if (problem) return fail_with(ResticCause::unknown, fmt::format("creating {}: {}", directory, problem.message()));
  }
  for (const std::string& remark : call->remarks) log_warning("{}", remark);
  const bool local = backend.local.has_value();
  const bool writable = !local || is_writable(location);
  if (!writable && access == Access::write) {
    return fail_with(
        ResticCause::permission_denied,
        fmt::format("the repository's directory {} is not writable for this container's user {}: change its owner or "
                    "mode, or set runtimeSettings.container.securityContext of the BackupConfiguration",
                    location, ::geteuid()));
  }
  if (!writable) call->program.emplace_back("--no-lock");
  return Restic(*std::move(call), local, version, std::move(place), secret_values(secret, backend), std::move(go_on));
}

ResticFailure Restic::failure_of(const Run& run) const {
  if (run.stopped) return {ResticCause::interrupted, "restic was interrupted"};
  // Ended by us, its exit code is that of an interruption, and says nothing.
  ResticFailure failure = explain(run.gave_up ? kNoExitCode : run.exit_code, run.standard_error,
                                  {call_.location, call_.storage_secret, call_.credentials}, secrets_);
  if (run.gave_up && failure.cause == ResticCause::unknown) {
    failure = {ResticCause::unreachable,
               fmt::format("the repository at {} did not answer within {} s: check its address and the network",
                           call_.location, std::chrono::ceil<std::chrono::seconds>(place_.patience.silence).count())};
  }
  log_warning("restic: exit code {}, {}", run.exit_code, to_string(failure.cause));
  const std::vector<std::string> lines = lines_to_log(run.standard_error, secrets_);
  // What is told last decides, but each line about damage names something else that is damaged.
  const bool may_be_damage = failure.cause == ResticCause::damaged || failure.cause == ResticCause::unknown;
  const std::size_t most = may_be_damage ? kMostLines : kFewLines;
  const std::size_t skipped = lines.size() - std::min(lines.size(), most);
  if (skipped > 0) log_warning("restic: ({} lines left out)", skipped);
  for (std::size_t i = skipped; i < lines.size(); ++i) log_warning("restic: {}", lines[i]);
  return failure;
}

ResticResult<Restic::Run> Restic::run_once(const Arguments& arguments, const Ears& ears, FirstContact* contact,
                                           int output_fd) {
  ProcessSpec spec;
  spec.argv = call_.program;
  spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
  spec.env = call_.env;
  spec.writable = writable_;
  std::error_code problem;
  if (fs::is_directory(place_.settings.home, problem)) spec.working_directory = place_.settings.home;
  spec.tick = place_.patience.tick;
  // The signal on which every version removes its lock.
  spec.stop_signal = SIGINT;
  spec.grace = place_.patience.interrupt;
  spec.max_line = kMaxLine;
  spec.max_stderr = 256u << 10;
  spec.output_fd = output_fd;

  Run run;
  const auto collect = [&](std::string_view line) {
    STASH_FAILPOINT("amid restic " + arguments.front());
    if (ears.on_line) return ears.on_line(line);
    run.output.append(line).append("\n");
  };
  spec.on_output = ears.on_output;
  UnreadableOutput unreadable;
  spec.on_error_line = [contact, &unreadable](std::string_view line) {
    unreadable.feed(line);
    if (contact != nullptr) contact->hear(line);
  };
  auto look_at_cache = steady_clock::now();
  const auto go_on = [&] {
    if (!go_on_()) return false;
    if (steady_clock::now() >= look_at_cache) {
      shrink_cache(place_.settings.cache_cap);
      look_at_cache = steady_clock::now() + place_.patience.cache_look;
    }
    if (ears.on_tick) ears.on_tick();
    run.gave_up = contact != nullptr && contact->is_over();
    return !run.gave_up;
  };
  // Only where the output is read as it comes: other commands would print it as text.
  if (ears.on_line) spec.env.emplace_back("RESTIC_PROGRESS_FPS", "1");
  STASH_FAILPOINT("before restic " + arguments.front());
  const auto exit = run_process(spec, collect, go_on);
  STASH_FAILPOINT("after restic " + arguments.front());
  if (!exit) return fail_with(ResticCause::unknown, "restic cannot be run: " + exit.error().message);
  if (writable_ && !exit->confined) {
    log_warning("this kernel could not confine restic to the volumes of the restore (Landlock, Linux 5.19 and later)");
  }
  run.exit_code = exit->exit_code;
  run.standard_error = exit->stderr_tail;
  run.unreadable = unreadable.files();
  // Finished before the signal came: then its result counts.
  run.gave_up = run.gave_up && exit->exit_code != 0;
  run.stopped = exit->stopped_by_us && exit->exit_code != 0 && !run.gave_up;
  shrink_cache(place_.settings.cache_cap);
  return run;
}

bool Restic::shrink_cache(std::uint64_t cap) {
  const auto gone = sidecar::shrink_cache(place_.settings.cache_directory, cap);
  if (gone > 0) log_info("removed {} bytes of restic's cache, which may take {}", gone, cap);
  return gone > 0;
}

bool Restic::wait(milliseconds time) {
  const auto end = steady_clock::now() + time;
  while (steady_clock::now() < end) {
    if (!go_on_()) return false;
    std::this_thread::sleep_for(std::min<steady_clock::duration>(place_.patience.tick, end - steady_clock::now()));
  }
  return go_on_();
}

ResticResult<Restic::Run> Restic::run(const Arguments& arguments, const Ears& ears) {
  const auto give_up = steady_clock::now() + place_.patience.lock;
  milliseconds pause = place_.patience.lock_retry;
  bool made_room = false;
  while (true) {
    auto run = run_once(arguments, ears);
    if (!run || run->exit_code == 0 || run->stopped) return run;
    const ResticCause cause = explain(run->exit_code, run->standard_error, {}, secrets_).cause;
    // The cache lies on the disk of the temporary files, perhaps the full one.
    if (cause == ResticCause::disk_full && !made_room && shrink_cache(0)) {
      made_room = true;
      continue;
    }
    if (cause != ResticCause::locked) return run;
    if (steady_clock::now() >= give_up) return run;
    log_info("the repository at {} is locked by somebody else; waiting", call_.location);
    if (remove_dead_lock(*run) || remove_stale_locks(*run)) continue;
    if (!wait(pause)) {
      run->stopped = true;
      return run;
    }
    pause = std::min(2 * pause, kLongestLockRetry);
  }
}

ResticResult<Restic::Run> Restic::run_well(const Arguments& arguments) {
  auto run = this->run(arguments);
  if (!run) return run;
  if (run->exit_code != 0 || run->stopped) return std::unexpected(failure_of(*run));
  return run;
}

ResticResult<bool> Restic::has_repository() {
  // Without waiting for locks, which this takes none of.
  FirstContact contact(place_.patience, true);
  auto run = run_once(cat_config_arguments(), {}, &contact);
  if (!run) return std::unexpected(run.error());
  if (run->exit_code == 0) return true;
  ResticFailure failure = failure_of(*run);
  if (failure.cause != ResticCause::no_repository) return std::unexpected(std::move(failure));
  if (!local_ || is_half_made(call_.location)) return false;
  for (const std::string_view part : {"keys", "snapshots", "index"}) {
    if (!has_entries(fs::path(call_.location) / part)) continue;
    return fail_with(
        ResticCause::damaged,
        fmt::format("the directory {} holds parts of a repository ({}) but not its file \"config\"; it is not "
                    "initialised again. Bring the file back, or move what is left away",
                    call_.location, part));
  }
  return false;
}

ResticResult<void> Restic::init() {
  std::error_code problem;
  if (local_) {
    fs::create_directories(call_.location, problem);  // restic says it better if that fails
    clear_half_made(call_.location, place_.patience.half_made, place_.patience.tick, go_on_);
    if (!go_on_()) return fail_with(ResticCause::interrupted, "interrupted");
  }
  // No time limit: between its key and its config file, restic would leave something that nobody can open or make.
  FirstContact contact(place_.patience, false);
  const auto run = run_once(init_arguments(), {}, &contact);
  if (!run) return std::unexpected(run.error());
  if (run->exit_code != 0) return std::unexpected(failure_of(*run));
  return {};
}

template <class T>
ResticResult<T> Restic::run_and_read(const Arguments& arguments, Result<T> (*read)(std::string_view)) {
  const auto run = run_well(arguments);
  if (!run) return std::unexpected(run.error());
  auto value = read(run->output);
  if (!value) return fail_with(ResticCause::unknown, value.error().message);
  return *std::move(value);
}

ResticResult<std::vector<Snapshot>> Restic::snapshots(const std::string& host, const std::string& path,
                                                      const std::string& tag) {
  return run_and_read(snapshots_arguments(host, path, tag), parse_snapshots);
}

ResticResult<std::vector<Snapshot>> Restic::snapshot(const std::string& id) {
  return run_and_read(snapshot_arguments(id), parse_snapshots);
}

Restic::BackupOutcome Restic::run_backup_command(const Arguments& arguments, const OnStatus& on_status) {
  BackupOutput output;
  BackupOutcome outcome;
  const auto run = this->run(arguments, {.on_line =
                                             [&](std::string_view line) {
                                               output.feed(line);
                                               if (!on_status) return;
                                               if (const auto status = parse_status(line)) on_status(*status);
                                             },
                                         .on_tick = {},
                                         .on_output = {}});
  if (!run) {
    outcome.failure = run.error();
    return outcome;
  }
  outcome.summary = output.summary();
  if (run->exit_code != 0 || run->stopped) {
    outcome.failure = failure_of(*run);
    outcome.unreadable = run->unreadable;
  }
  return outcome;
}

Restic::BackupOutcome Restic::back_up(const BackupRequest& request, const OnStatus& on_status) {
  return run_backup_command(backup_arguments(request, version_), on_status);
}
Restic::BackupOutcome Restic::dry_run(const BackupRequest& request) {
  return run_backup_command(dry_run_arguments(request), {});
}

ResticResult<void> Restic::add_tag(const std::string& snapshot, std::string_view tag) {
  const auto run = run_well(tag_arguments(snapshot, tag, version_));
  if (!run) return std::unexpected(run.error());
  return {};
}

ResticResult<bool> Restic::check() {
  auto run = this->run(check_arguments(version_));
  if (!run) return std::unexpected(run.error());
  if (run->exit_code == 0) return true;
  ResticFailure failure = failure_of(*run);
  // What `check` itself finds has no words of its own in common; what keeps it from looking has.
  if (failure.cause == ResticCause::unknown || failure.cause == ResticCause::damaged) return false;
  return std::unexpected(std::move(failure));
}

ResticResult<ForgetOutcome> Restic::forget(const api::RetentionPolicy& policy, const std::vector<std::string>& hosts) {
  return run_and_read(forget_arguments(policy, hosts, version_), parse_forget);
}

ResticResult<void> Restic::remove(const std::vector<std::string>& snapshots) {
  constexpr std::size_t kAtOnce = 500;  // the kernel limits the length of a command line
  for (auto first = snapshots.begin(); first != snapshots.end();) {
    const auto left = static_cast<std::size_t>(snapshots.end() - first);
    const auto last = first + static_cast<std::ptrdiff_t>(std::min(left, kAtOnce));
    const auto run = run_well(remove_arguments({first, last}, version_));
    if (!run) return std::unexpected(run.error());
    first = last;
  }
  return {};
}

ResticResult<void> Restic::prune() {
  const auto run = run_well(prune_arguments(version_));
  if (!run) return std::unexpected(run.error());
  return {};
}

ResticResult<std::map<std::string, std::string>> Restic::types_at(const std::string& snapshot,
                                                                  const std::set<std::string>& paths) {
  std::map<std::string, std::string> types;
  const auto note = [&](std::string_view line) {
    const auto node = parse_json(line);
    if (!node) return;
    if (const std::string path = string_at(*node, {"path"}); paths.contains(path))
      types[path] = string_at(*node, {"type"});
  };
  const auto run = this->run(ls_arguments(snapshot), {.on_line = note, .on_tick = {}, .on_output = {}});
  if (!run) return std::unexpected(run.error());
  if (run->exit_code != 0 || run->stopped) return std::unexpected(failure_of(*run));
  return types;
}

ResticResult<std::uint64_t> Restic::stats() { return run_and_read(stats_arguments(version_), parse_stats); }

Restic::Ears Restic::ears_for(const std::string& snapshot, const std::vector<std::string>& paths,
                              const RestoreWatch& watch, std::optional<std::uint64_t>& taken) {
  if (version_.tells_restore_progress()) {
    return {.on_line =
                [on_status = watch.on_status, &taken](std::string_view line) {
                  if (const auto count = parse_restored(line)) taken = count;
                  if (!on_status) return;
                  if (const auto status = parse_status(line)) on_status(*status);
                },
            .on_tick = {},
            .on_output = {}};
  }
  if (!watch.on_status) return {};
  ResticStatus total;
  if (watch.whole) {
    const auto size = run_and_read(restore_size_arguments(snapshot), parse_restore_size);
    total = size.value_or(ResticStatus{});
  }
  return {.on_line = {},
          .on_tick =
              [disk = RestoredOnDisk(paths, total), on_status = watch.on_status]() mutable {
                if (const auto status = disk.look()) on_status(*status);
              },
          .on_output = {}};
}

std::vector<std::string> Restic::writable_in_restore(const std::vector<std::string>& volumes) const {
  std::vector<std::string> writable{place_.settings.home, place_.settings.temp_directory,
                                    place_.settings.cache_directory};
  if (local_) writable.push_back(call_.location + "/locks");
  // A volume within another one is allowed with that one. By its own path it might be another place: who writes to the
  // outer volume from elsewhere can put a link there.
  for (const std::string& volume : volumes) {
    const auto is_around = [&volume](const std::string& other) { return is_above(other, volume); };
    if (std::ranges::none_of(volumes, is_around)) writable.push_back(volume);
  }
  return writable;
}

ResticResult<bool> Restic::make_room(const std::string& snapshot, const std::vector<std::string>& include,
                                     const std::vector<std::string>& exclude, const std::vector<std::string>& volumes,
                                     bool chooses) {
  const bool is_root = ::geteuid() == 0, replaces = version_.replaces_entries();
  // A restic that does not tell what it has taken.
  bool takes_something = !chooses || version_.tells_restore_progress();
  if (takes_something && ((is_root && replaces) || !hold_entries(volumes))) return true;
  std::size_t removed = 0, opened = 0;
  std::string undecided;
  const auto give_way = [&](const FoundNode& node) {
    const bool in_the_way = !replaces && undecided.empty() && wants_an_empty_place(node);
    if (is_root && !in_the_way && takes_something) return;
    const Taken taken = is_taken(node.path, include, exclude);
    takes_something = takes_something || taken != Taken::no;
    if (!is_root && taken == Taken::yes && make_writable(node.path, volumes)) ++opened;
    if (!in_the_way) return;
    if (taken == Taken::yes && remove_entry(node.path, volumes)) ++removed;
    if (taken == Taken::unknown && has_entry(node.path, volumes)) undecided = node.path;
  };
  FoundNodes nodes(give_way);
  const auto listen = [&nodes](std::string_view piece) { nodes.feed(piece); };
  const auto run = this->run(find_all_arguments(snapshot), {.on_line = {}, .on_tick = {}, .on_output = listen});
  if (!run) return std::unexpected(run.error());
  if (removed > 0) {
    log_info(
        "removed {} links, pipes and names of hard-linked files that this snapshot holds as well: restic {} does "
        "not restore over them",
        removed, to_string(version_));
  }
  if (opened > 0) log_info("{} files and directories of user {} were not writable for it", opened, ::geteuid());
  if (run->exit_code != 0 || run->stopped) return std::unexpected(failure_of(*run));
  if (!nodes.complete()) {
    return fail_with(ResticCause::unknown, "restic find printed something else than what the snapshot holds");
  }
  if (undecided.empty()) return takes_something;
  return fail_with(
      ResticCause::unknown,
      fmt::format("{} is there already, restic {} does not restore over it, and whether the rule's include or exclude "
                  "takes it cannot be told from patterns with a leading !. Remove it, or write the rule without "
                  "them",
                  scrub(undecided, secrets_), to_string(version_)));
}

ResticResult<bool> Restic::restore(const std::string& snapshot, const std::vector<std::string>& include,
                                   const std::vector<std::string>& exclude, const std::vector<std::string>& paths,
                                   const std::vector<std::string>& volumes, const RestoreWatch& watch) {
  const DirectoryTimes above(paths);
  const bool chooses = watch.chooses && !include.empty();
  const auto takes = make_room(snapshot, include, exclude, volumes.empty() ? paths : volumes, chooses);
  if (!takes || !*takes) return takes;
  std::optional<std::uint64_t> taken;
  const Ears ears = ears_for(snapshot, paths, watch, taken);
  if (!volumes.empty()) writable_ = writable_in_restore(volumes);
  auto run = this->run(restore_arguments(snapshot, include, exclude, version_), ears);
  writable_.reset();
  above.put_back();
  if (!run) return std::unexpected(run.error());
  if (run->stopped) return std::unexpected(failure_of(*run));
  const RestoreErrors errors = run->exit_code == 0 ? RestoreErrors{} : parse_restore_errors(run->standard_error);
  if (run->exit_code == 0 || only_above(errors, paths)) return !chooses || taken != 0U;
  ResticFailure failure = failure_of(*run);
  for (const auto& item : errors.items) {
    if (std::ranges::any_of(paths, [&item](const std::string& path) { return is_above(item.path, path); })) continue;
    failure.sentence += fmt::format("; first at {}: {}", scrub(item.path, secrets_), scrub(item.reason, secrets_));
    break;
  }
  return std::unexpected(std::move(failure));
}

}  // namespace stash::sidecar
