#include "sidecar/restic_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>

namespace stash::sidecar {

namespace {

/// Proxies, trust and tuning; nothing that names a repository, a password or a command.
constexpr std::string_view kInherited[] = {
    "PATH",     "TZ",         "SSL_CERT_FILE", "SSL_CERT_DIR",     "HTTP_PROXY",         "HTTPS_PROXY",
    "NO_PROXY", "ALL_PROXY",  "http_proxy",    "https_proxy",      "no_proxy",           "all_proxy",
    "GOGC",     "GOMAXPROCS", "GOMEMLIMIT",    "RESTIC_PACK_SIZE", "RESTIC_COMPRESSION", "RESTIC_READ_CONCURRENCY"};

bool is_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

Result<void> add_wrappers(Arguments& program, const ResticSettings& settings) {
  for (const auto& [name, value] :
       {std::pair("IONICE_CLASS", settings.io_class), std::pair("IONICE_CLASS_DATA", settings.io_class_data),
        std::pair("NICE_ADJUSTMENT", settings.nice_adjustment)}) {
    if (!value.empty() && !is_number(value)) {
      return fail(ErrorCode::invalid, fmt::format("{} is \"{}\", which is no number: correct runtimeSettings.container "
                                                  "of the BackupConfiguration",
                                                  name, value));
    }
  }
  if (!settings.io_class.empty()) {
    program.insert(program.end(), {"ionice", "-c", settings.io_class});
    if (!settings.io_class_data.empty()) program.insert(program.end(), {"-n", settings.io_class_data});
  }
  if (!settings.nice_adjustment.empty()) program.insert(program.end(), {"nice", "-n", settings.nice_adjustment});
  return {};
}

void add_retry_lock(Arguments& arguments, const ResticVersion& version) {
  if (version.retries_locks()) arguments.insert(arguments.end(), {"--retry-lock", "1m"});
}

/// Ours win: a variable is inherited only when nothing of that name is in `env` yet.
void inherit(Environment& env, std::span<const std::string_view> names, const Environment& inherited) {
  for (const std::string_view name : names) {
    const auto named = [name](const auto& pair) { return pair.first == name; };
    const auto found = std::ranges::find_if(inherited, named);
    if (found != inherited.end() && std::ranges::none_of(env, named)) env.push_back(*found);
  }
}

}  // namespace

std::vector<std::string> local_locations(const api::LocalBackend& backend) {
  std::vector<std::string> locations{backend.mount_path};
  if (!backend.sub_path.empty()) locations.push_back(backend.mount_path + "/" + backend.sub_path);
  return locations;
}

Result<ResticCall> restic_call(const api::Backend& backend, const std::string& location, const StorageSecret& secret,
                               const ResticSettings& settings, const Environment& inherited,
                               const ResticVersion& version) {
  TRY(BackendAccess access, backend_access(backend, location, secret, settings.secret_directory, version));
  ResticCall call;
  call.location = std::move(access.location);
  call.storage_secret = backend.storage_secret_name;
  call.credentials = std::move(access.credentials);
  call.remarks = std::move(access.remarks);
  call.env = {{"HOME", settings.home},
              {"TMPDIR", settings.temp_directory},
              {"RESTIC_REPOSITORY", std::move(access.repository)}};
  // A restic without cgo takes it for the name of a user who is not in /etc/passwd; with cgo it has no name for one.
  if (!settings.user.empty()) call.env.emplace_back("USER", settings.user);
  call.env.insert(call.env.end(), access.env.begin(), access.env.end());
  inherit(call.env, kInherited, inherited);
  inherit(call.env, inherited_variables(api::backend_kind(backend)), inherited);

  TRY_VOID(add_wrappers(call.program, settings));
  call.program.push_back(settings.program);
  if (settings.cache) {
    call.program.insert(call.program.end(), {"--cache-dir", settings.cache_directory});
  } else {
    call.program.emplace_back("--no-cache");
  }
  call.program.insert(call.program.end(), access.flags.begin(), access.flags.end());
  return call;
}

// Without a lock: a repository that is being pruned is still found, and one that cannot be written to says so later,
// in a step that needs to write, instead of after restic's quarter of an hour of retries.
Arguments cat_config_arguments() { return {"cat", "config", "--no-lock"}; }
Arguments init_arguments() { return {"init"}; }
// Only stale locks by restic's own rule; there is no way from here to remove a living one.
Arguments unlock_arguments() { return {"unlock"}; }
Arguments list_locks_arguments() { return {"list", "locks", "--no-lock"}; }
Arguments lock_arguments(const std::string& id) { return {"cat", "lock", "--no-lock", "--", id}; }

Arguments dump_arguments(const std::string& snapshot, const std::string& path, const ResticVersion& version) {
  Arguments arguments{"dump", "--archive", "tar"};
  add_retry_lock(arguments, version);
  arguments.insert(arguments.end(), {"--", snapshot, path});
  return arguments;
}
Arguments ls_arguments(const std::string& snapshot, const std::string& path) {
  return {"ls", "--json", "--no-lock", "--", snapshot, path};
}

Arguments backup_arguments(const BackupRequest& request, const ResticVersion& version) {
  Arguments arguments{"backup", "--json", "--cleanup-cache", "--host", request.host};
  if (!request.tag.empty()) arguments.insert(arguments.end(), {"--tag", request.tag});
  for (const std::string& pattern : request.exclude) arguments.insert(arguments.end(), {"--exclude", pattern});
  add_retry_lock(arguments, version);
  arguments.insert(arguments.end(), {"--", request.path});
  return arguments;
}

Arguments dry_run_arguments(const BackupRequest& request) {
  Arguments arguments{"backup", "--json", "--quiet", "--dry-run", "--host", request.host};
  for (const std::string& pattern : request.exclude) arguments.insert(arguments.end(), {"--exclude", pattern});
  arguments.insert(arguments.end(), {"--", request.path});
  return arguments;
}

Arguments snapshots_arguments(const std::string& host, const std::string& path, const std::string& tag) {
  Arguments arguments{"snapshots", "--json", "--no-lock"};
  if (!tag.empty()) arguments.insert(arguments.end(), {"--tag", tag});
  if (!host.empty()) arguments.insert(arguments.end(), {"--host", host});
  if (!path.empty()) arguments.insert(arguments.end(), {"--path", path});
  return arguments;
}

Arguments ls_arguments(const std::string& snapshot) { return {"ls", "--json", "--no-lock", "--", snapshot}; }

// A narrower pattern would be no help: `find` passes over a directory that is equal to one in which it found nothing.
Arguments find_all_arguments(const std::string& snapshot) {
  return {"find", "--json", "--no-lock", "--snapshot", snapshot, "--", "*"};
}

Arguments snapshot_arguments(const std::string& id) { return {"snapshots", "--json", "--no-lock", "--", id}; }

Arguments tag_arguments(const std::string& snapshot, std::string_view tag, const ResticVersion& version) {
  Arguments arguments{"tag", "--quiet", "--add", std::string(tag)};
  add_retry_lock(arguments, version);
  arguments.insert(arguments.end(), {"--", snapshot});
  return arguments;
}

Arguments check_arguments(const ResticVersion& version) {
  Arguments arguments{"check"};
  add_retry_lock(arguments, version);
  return arguments;
}

Arguments forget_arguments(const api::RetentionPolicy& policy, const std::vector<std::string>& hosts,
                           const ResticVersion& version) {
  Arguments arguments{"forget", "--quiet", "--json"};
  for (const auto& [flag, count] :
       {std::pair("--keep-last", policy.keep_last), std::pair("--keep-hourly", policy.keep_hourly),
        std::pair("--keep-daily", policy.keep_daily), std::pair("--keep-weekly", policy.keep_weekly),
        std::pair("--keep-monthly", policy.keep_monthly), std::pair("--keep-yearly", policy.keep_yearly)}) {
    if (count > 0) arguments.insert(arguments.end(), {flag, std::to_string(count)});
  }
  for (const std::string& tag : policy.keep_tags) arguments.insert(arguments.end(), {"--keep-tag", tag});
  for (const std::string& host : hosts) arguments.insert(arguments.end(), {"--host", host});
  if (policy.prune) arguments.emplace_back("--prune");
  if (policy.dry_run) arguments.emplace_back("--dry-run");
  add_retry_lock(arguments, version);
  return arguments;
}

Arguments remove_arguments(const std::vector<std::string>& ids, const ResticVersion& version) {
  Arguments arguments{"forget", "--quiet"};
  add_retry_lock(arguments, version);
  arguments.emplace_back("--");
  arguments.insert(arguments.end(), ids.begin(), ids.end());
  return arguments;
}

Arguments prune_arguments(const ResticVersion& version) {
  Arguments arguments{"prune", "--quiet", "--max-unused", "0"};
  add_retry_lock(arguments, version);
  return arguments;
}

// Without a lock: a restore goes on without this, and nobody would then look for the lock of one that was killed.
Arguments restore_size_arguments(const std::string& snapshot) {
  return {"stats", "--json", "--quiet", "--mode", "restore-size", "--no-lock", "--", snapshot};
}

Arguments stats_arguments(const ResticVersion& version) {
  Arguments arguments{"stats", "--json", "--quiet", "--mode", "restore-size"};
  add_retry_lock(arguments, version);
  return arguments;
}

Arguments restore_arguments(const std::string& snapshot, const std::vector<std::string>& include,
                            const std::vector<std::string>& exclude, const ResticVersion& version) {
  Arguments arguments{"restore", "--target", "/"};
  if (version.tells_restore_progress()) arguments.emplace_back("--json");
  if (version.restores_sparse()) arguments.emplace_back("--sparse");
  for (const std::string& pattern : include) arguments.insert(arguments.end(), {"--include", pattern});
  for (const std::string& pattern : exclude) arguments.insert(arguments.end(), {"--exclude", pattern});
  add_retry_lock(arguments, version);
  arguments.insert(arguments.end(), {"--", snapshot});
  return arguments;
}

std::string literal_pattern(const std::string& path) {
  std::string pattern;
  for (const char c : path) {
    if (std::string_view("*?[]\\").contains(c)) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

Result<std::string> clean_path(const std::string& path) {
  if (!path.starts_with('/') || path.contains('\0')) {
    return fail(ErrorCode::invalid, fmt::format("\"{}\" is no absolute path", path));
  }
  std::vector<std::string_view> parts;
  std::string_view rest = path;
  while (!rest.empty()) {
    const auto end = rest.find('/');
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  std::string cleaned;
  for (const std::string_view part : parts) cleaned.append("/").append(part);
  return cleaned.empty() ? "/" : cleaned;
}

}  // namespace stash::sidecar
