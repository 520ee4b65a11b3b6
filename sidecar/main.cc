#include <malloc.h>
#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <thread>

#include "api/server_time.h"
#include "base/core_dumps.h"
#include "base/log.h"
#include "base/process.h"
#include "base/version.h"
#include "kube/config.h"
#include "sidecar/create_backupsession.h"
#include "sidecar/environment.h"
#include "sidecar/lock_owner.h"
#include "sidecar/repository_commands.h"
#include "sidecar/restore.h"
#include "sidecar/run_backup.h"
#include "sidecar/wipe_out.h"

namespace {

using namespace stash;           // NOLINT(google-build-using-namespace): the program's own
using namespace stash::sidecar;  // NOLINT(google-build-using-namespace)

struct Flags {
  std::vector<std::string> backup_configurations, repository_secret_dirs, local_mounts;
  std::string backup_configuration, restore_session, ns, job_name, kubeconfig, invoker_type = "BackupConfiguration";
  std::string secret_dir = "/etc/stash/repository/secret", pushgateway_url, log_level = "info";
  std::string podinfo_dir = "/etc/stash", temp_dir = "/tmp";
  std::string repository, target_kind = "StatefulSet", snapshot, path, output;
  bool enable_cache = true, metrics_enabled = false;
  int max_connections = 0;
};

void add_common_flags(CLI::App& command, Flags& flags) {
  command.add_option("--kubeconfig", flags.kubeconfig, "Reach the API server as this file says, not as a pod does");
  command.add_option("--log-level", flags.log_level, "debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  command.add_option("--podinfo-dir", flags.podinfo_dir, "Directory with token, ca.crt and namespace");
  // Flags of older Stash (klog's, analytics, ...) are still in users' manifests. They must not keep a container from
  // starting.
  command.allow_extras();
}

void add_restic_flags(CLI::App& command, Flags& flags) {
  command.add_option("--secret-dir", flags.secret_dir, "Where the storage Secret is mounted");
  command
      .add_option("--repository-secret-dir", flags.repository_secret_dirs,
                  "REPOSITORY=DIRECTORY, repeatable: where the Secret of this Repository is mounted instead")
      ->allow_extra_args(false);
  command
      .add_option("--local-mount", flags.local_mounts,
                  "REPOSITORY=DIRECTORY, repeatable: where the volume of this local Repository is mounted instead of "
                  "at its backend.local.mountPath")
      ->allow_extra_args(false);
  command.add_flag("--enable-cache", flags.enable_cache, "Let restic keep a cache in /tmp");
  command.add_option("--max-connections", flags.max_connections,
                     "Connections to a cloud backend (no effect on local ones)");
  command.add_flag("--metrics-enabled", flags.metrics_enabled, "Push metrics");
  command.add_option("--pushgateway-url", flags.pushgateway_url, "Pushgateway, without /metrics");
  command.add_option("--temp-dir", flags.temp_dir, "Where restic's cache and temporary files go");
}

/// For people, and for `kubectl stash`, in the container of a sidecar.
CLI::App* add_repository_command(CLI::App& app, Flags& flags, const char* name, const char* what) {
  CLI::App* command = app.add_subcommand(name, what);
  command->add_option("--repository", flags.repository, "Name of the Repository")->required();
  command->add_option("--target-kind", flags.target_kind,
                      "Kind of the workload that this pod is of; unless said, one whose pods have no unique names");
  command->add_option("-o,--output", flags.output, "json is all there is")->check(CLI::IsMember({"json"}));
  return command;
}

Result<RepositoryPlaces> repository_places(const Flags& flags) {
  RepositoryPlaces places;
  TRY(places.secret_directories, parse_places("--repository-secret-dir", flags.repository_secret_dirs));
  TRY(places.local_mounts, parse_places("--local-mount", flags.local_mounts));
  return places;
}

LogLevel level_of(const std::string& name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "warning") return LogLevel::warning;
  return name == "error" ? LogLevel::error : LogLevel::info;
}

Result<kube::Config> api_config(const Flags& flags) {
  if (!flags.kubeconfig.empty()) return kube::kubeconfig(flags.kubeconfig);
  // The sidecar's own projected token; pods of older releases, and CronJob pods, have the usual one only.
  if (auto config = kube::in_cluster_config(flags.podinfo_dir)) return config;
  return kube::in_cluster_config();
}

/// In steps, so that SIGTERM ends it.
void pause_for(std::chrono::milliseconds time) {
  constexpr std::chrono::milliseconds kStep{200};
  for (auto left = time; left.count() > 0 && !stop_requested(); left -= kStep)
    std::this_thread::sleep_for(std::min(left, kStep));
}

ResticPlace restic_place(const Flags& flags, const Environment& environment, const PodIdentity& pod) {
  ResticPlace place;
  place.settings.temp_directory = flags.temp_dir + "/restic-tmp";
  place.settings.cache_directory = flags.temp_dir + "/restic-cache";
  place.settings.home = flags.temp_dir;
  place.settings.cache = flags.enable_cache;
  place.settings.secret_directory = flags.secret_dir;
  place.settings.nice_adjustment = variable(environment, "NICE_ADJUSTMENT");
  place.settings.io_class = variable(environment, "IONICE_CLASS");
  place.settings.io_class_data = variable(environment, "IONICE_CLASS_DATA");
  place.inherited = environment;
  place.settings.user = pod.uid;
  if (host_name_is(pod.name)) place.own_host_name = pod.name;
  return place;
}

void mention_ignored(const CLI::App& command) {
  for (const std::string& flag : command.remaining()) log_debug("{} has no effect", flag);
}

}  // namespace

int main(int argc, char** argv) {
  // One thread needs one arena, and memory that is freed should go back soon: idle sidecars are many.
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 10);
  ::mallopt(M_MMAP_THRESHOLD, 64 << 10);
  // Other processes of the pod's user must not read passwords out of our memory or /proc entry.
  ::prctl(PR_SET_DUMPABLE, 0);
  forbid_core_dumps();
  catch_stop_signals();

  Flags flags;
  CLI::App app("stash: backs up and restores volumes with restic, inside the pod that uses them");
  app.set_version_flag("--version", std::string(version()));
  app.require_subcommand(1);
  CLI::App* run = app.add_subcommand("run-backup", "Back up whenever a BackupSession asks for it (the sidecar)");
  run->add_option("--backup-configuration,--invoker-name", flags.backup_configurations,
                  "Name of the BackupConfiguration; repeatable")
      ->allow_extra_args(false)
      ->required();
  run->add_option("--invoker-type", flags.invoker_type, "BackupConfiguration");
  CLI::App* restorer = app.add_subcommand("restore", "Restore what a RestoreSession asks for (the init container)");
  restorer->add_option("--restore-session", flags.restore_session, "Name of the RestoreSession")->required();
  CLI::App* create = app.add_subcommand("create-backupsession", "Make the BackupSession of one slot (the CronJob)");
  create
      ->add_option("--invoker-name,--backupconfiguration,--backupsession.name", flags.backup_configuration,
                   "Name of the BackupConfiguration")
      ->required();
  create->add_option("--invoker-type", flags.invoker_type, "BackupConfiguration");
  create->add_option("--namespace,--backupsession.namespace", flags.ns, "Namespace of the BackupConfiguration");
  CLI::App* wipe = app.add_subcommand("wipe-out", "Remove all data of the Repository in $STASH_REPOSITORY (a Job)");
  CLI::App* lister = add_repository_command(app, flags, "snapshots", "List the snapshots of a Repository, as JSON");
  CLI::App* unlocker = add_repository_command(app, flags, "unlock", "Remove stale locks of a Repository");
  CLI::App* dumper =
      add_repository_command(app, flags, "dump", "Write a directory of a snapshot to standard output, as tar");
  dumper->add_option("--snapshot", flags.snapshot, "Id of the snapshot")->required();
  dumper->add_option("--path", flags.path, "The directory, absolute")->required();
  for (CLI::App* command : {run, restorer, create, wipe, lister, unlocker, dumper}) add_common_flags(*command, flags);
  for (CLI::App* command : {run, restorer, wipe, lister, unlocker, dumper}) add_restic_flags(*command, flags);
  CLI11_PARSE(app, argc, argv);

  const CLI::App* command = app.get_subcommands().front();
  const bool for_people = command == lister || command == unlocker || command == dumper;
  // They say in one sentence what is wrong; how restic went about it is for a log.
  set_log_level(for_people && flags.log_level == "info" ? LogLevel::error : level_of(flags.log_level));
  mention_ignored(*command);
  if (flags.invoker_type != "BackupConfiguration") {
    log_error("--invoker-type={} is not supported: only BackupConfiguration", flags.invoker_type);
    return 2;
  }
  const auto places = repository_places(flags);
  if (!places) {
    log_error("{}", places.error().message);
    return 2;
  }
  const Environment environment = own_environment();
  if (command == wipe) {
    const PodIdentity pod{.name = variable(environment, "POD_NAME"), .uid = "", .ns = "", .node = ""};
    const std::string report = variable(environment, "STASH_REPORT");
    ResticPlace place = restic_place(flags, environment, pod);
    if (const auto told = parse_time(variable(environment, std::string(api::kServerTimeVariable)))) {
      place.clock_skew = [skew = skew_since(*told, system_clock().now())] { return skew; };
    }
    return wipe_out(place, variable(environment, "STASH_REPOSITORY"), report.empty() ? "/dev/termination-log" : report,
                    [] { return !stop_requested(); });
  }
  // A container that exits restarts its pod's; the sidecar waits for what is missing instead.
  auto config = api_config(flags);
  while (!config && command == run && !stop_requested()) {
    log_error("{}; trying again", config.error().message);
    pause_for(std::chrono::seconds(30));
    config = api_config(flags);
  }
  if (!config) {
    if (!stop_requested()) log_error("{}", config.error().message);
    return stop_requested() ? 0 : 1;
  }

  PodIdentity pod;
  pod.ns = flags.ns.empty() ? config->ns : flags.ns;
  if (command != create) {
    const auto identity = identity_from(environment, config->ns);
    if (!identity) {
      log_error("{}", identity.error().message);
      return 2;
    }
    pod = *identity;
  }
  kube::Api api(*config);
  Context context{.api = api,
                  .pod = pod,
                  .restic = restic_place(flags, environment, pod),
                  .repositories = *places,
                  .metrics = flags.metrics_enabled,
                  .pushgateway_url = flags.pushgateway_url,
                  .stop = stop_requested,
                  .pause = pause_for};
  if (command == create)
    return create_backupsession(context, flags.backup_configuration, variable(environment, "JOB_NAME"));
  if (command == restorer) return restore(context, flags.restore_session);
  if (for_people) {
    const RepositoryQuestion asked{flags.repository, flags.target_kind};
    if (command == lister) return list_snapshots(context, asked);
    if (command == unlocker) return unlock(context, asked);
    return dump(context, asked, flags.snapshot, flags.path);
  }
  run_backup(context, flags.backup_configurations);
  return 0;
}
