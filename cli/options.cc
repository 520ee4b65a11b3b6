#include "cli/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

namespace stash::cli {

namespace {

constexpr const char* kConfiguration = "BACKUPCONFIGURATION";
constexpr const char* kRepository = "REPOSITORY";

CLI::App* add_bare(CLI::App& app, const char* name, const char* what, const char* examples) {
  CLI::App* command = app.add_subcommand(name, what);
  command->footer(std::string("Examples:\n") + examples);
  return command;
}

/// Of the whole cluster.
CLI::App* add_wide(CLI::App& app, Options& options, const char* name, const char* what, const char* examples) {
  CLI::App* command = add_bare(app, name, what, examples);
  command->add_option("--context", options.context, "Context of the kubeconfig")->option_text("NAME");
  command->add_option("--kubeconfig", options.kubeconfig, "Path of the kubeconfig")->option_text("FILE");
  return command;
}

CLI::App* add(CLI::App& app, Options& options, const char* name, const char* what, const char* examples) {
  CLI::App* command = add_wide(app, options, name, what, examples);
  command->add_option("-n,--namespace", options.ns, "Namespace; by default that of the kubeconfig's context")
      ->option_text("NAMESPACE");
  return command;
}

void add_output(CLI::App* command, Options& options) {
  command->add_option("-o,--output", options.output, "What to print; by default a table")
      ->option_text("table|json|yaml")
      ->check(CLI::IsMember(std::vector<std::string>{"table", "json", "yaml"}));
}

CLI::Option* add_name(CLI::App* command, Options& options, const char* argument, const char* what) {
  return command->add_option(argument, options.names, what)->option_text(" ")->expected(1);
}
void add_names(CLI::App* command, Options& options, const char* argument, const char* what) {
  command->add_option(argument, options.names, what)->option_text(" ");
}

void add_wait(CLI::App* command, Options& options) {
  command->add_flag("--wait,!--no-wait", options.wait, "Wait for the end and show progress (the default)")
      ->option_text(" ");
  command->add_option("--timeout", options.timeout_minutes, "Minutes to wait at most, 60 by default; the work goes on")
      ->option_text("MINUTES")
      ->check(CLI::PositiveNumber);
}

}  // namespace

void add_commands(CLI::App& app, Options& options) {
  app.require_subcommand(1);
  app.footer(
      "Every command has --help with examples. Exit codes: 0 succeeded, 1 failed, 2 wrong usage.\n"
      "Documentation: docs/kubectl-stash.md");

  CLI::App* status = add(app, options, "status", "Show backups and restores, and what is wrong with them",
                         "  kubectl stash status\n"
                         "  kubectl stash status -A\n"
                         "  kubectl stash status web-backup -n demo -o json\n");
  add_name(status, options, kConfiguration, "Of this one only");
  status->add_flag("-A,--all-namespaces", options.all_namespaces, "Of all namespaces");
  add_output(status, options);

  CLI::App* trigger = add(app, options, "trigger", "Back up now",
                          "  kubectl stash trigger web-backup -n demo\n"
                          "  kubectl stash trigger web-backup --wait=false\n");
  add_name(trigger, options, kConfiguration, "What to back up")->required();
  add_wait(trigger, options);
  add_output(trigger, options);

  for (const auto& [name, what] : {std::pair("pause", "Stop scheduled backups; what runs now goes on"),
                                   std::pair("resume", "Let scheduled backups run again")}) {
    CLI::App* command = add(app, options, name, what,
                            name == std::string_view("pause") ? "  kubectl stash pause web-backup -n demo\n"
                                                                "  kubectl stash pause --all -n demo\n"
                                                              : "  kubectl stash resume web-backup -n demo\n"
                                                                "  kubectl stash resume --all -n demo\n");
    add_names(command, options, kConfiguration, "One or more of them");
    command->add_flag("--all", options.all, "All of the namespace");
    add_output(command, options);
  }

  CLI::App* snapshots = add(app, options, "snapshots", "List what a repository holds, as restic in a sidecar sees it",
                            "  kubectl stash snapshots local-repository -n demo\n"
                            "  kubectl stash snapshots local-repository --host host-1 -o json\n");
  add_name(snapshots, options, kRepository, "Whose snapshots")->required();
  snapshots->add_option("--host", options.host, "Of this host only")->option_text("HOST");
  add_output(snapshots, options);

  CLI::App* restore = add(app, options, "restore", "Restore the latest backup, a snapshot, or the state at a time",
                          "  kubectl stash restore web-backup -n demo\n"
                          "  kubectl stash restore web-backup --snapshot 4f1e7c66\n"
                          "  kubectl stash restore web-backup --time 2026-11-23T12:00:00Z\n"
                          "  kubectl stash restore web-backup --dry-run=client -o yaml\n");
  add_name(restore, options, kConfiguration, "The one that took the backup")->required();
  auto* by_id = restore->add_option("--snapshot", options.snapshots, "Id of a snapshot; repeatable")
                    ->option_text("ID")
                    ->allow_extra_args(false);
  restore
      ->add_option("--time", options.time,
                   "Of each path the newest snapshot that is not younger, instead of --snapshot")
      ->option_text("2026-11-23T12:00:00Z")
      ->excludes(by_id);
  restore
      ->add_flag("--others-latest", options.others_latest,
                 "With --snapshot or --time: hosts of which these name nothing get their latest")
      ->option_text(" ");
  restore->add_option("--target", options.target, "Restore into this workload instead of the one backed up")
      ->option_text("KIND/NAME");
  restore->add_option("--name", options.name, "Name of the RestoreSession")->option_text("NAME");
  restore->add_option("--dry-run", options.dry_run_mode, "client: print the RestoreSession and create nothing")
      ->option_text("client|none")
      ->check(CLI::IsMember({"client", "none"}));
  add_wait(restore, options);
  add_output(restore, options);

  CLI::App* download = add(app, options, "download", "Fetch files of a snapshot to this machine",
                           "  kubectl stash download local-repository --snapshot 4f1e7c66 -n demo -d ./restored\n"
                           "  kubectl stash download local-repository --snapshot 4f1e7c66 --path /source/data/logs\n");
  add_name(download, options, kRepository, "Where the snapshot is")->required();
  download->add_option("--snapshot", options.snapshots, "Id of the snapshot; needed")
      ->option_text("ID")
      ->required()
      ->expected(1);
  download->add_option("--path", options.paths, "Directory in the snapshot; by default all of its paths; repeatable")
      ->option_text("DIRECTORY")
      ->allow_extra_args(false);
  download->add_option("-d,--destination", options.destination, "Directory on this machine; by default the current one")
      ->option_text("DIRECTORY");

  CLI::App* unlock = add(app, options, "unlock", "Remove restic locks whose owners are gone; never a living one's",
                         "  kubectl stash unlock local-repository -n demo\n");
  add_name(unlock, options, kRepository, "Whose locks")->required();
  add_output(unlock, options);

  CLI::App* preview = add(app, options, "preview", "Show what is injected into a workload, and why or why not",
                          "  kubectl stash preview deployment/web -n demo\n"
                          "  kubectl stash preview -f web.yaml -n demo\n"
                          "  kubectl stash preview --local -f web.yaml -f backup.yaml   # with no cluster at all\n");
  add_names(preview, options, "KIND/NAME", "Workloads in the cluster, such as deployment/web");
  preview->add_option("-f,--filename", options.files, "File with objects, - for standard input; repeatable")
      ->option_text("FILE")
      ->allow_extra_args(false);
  preview->add_flag("--local", options.local, "Ask no cluster: the files are all there is");
  preview
      ->add_option("--image", options.image,
                   "Image of the sidecar, with --local or where the webhook's settings cannot be read")
      ->option_text("IMAGE");
  add_output(preview, options);

  CLI::App* doctor = add_wide(app, options, "doctor", "Check the installation and every backup; say what to do",
                              "  kubectl stash doctor\n"
                              "  kubectl stash doctor -o json && echo healthy\n");
  add_output(doctor, options);

  CLI::App* migrate = add_wide(app, options, "migrate", "Find what AppsCode's Stash left, and print how to move over",
                               "  kubectl stash migrate\n");
  add_output(migrate, options);

  add_bare(
      app, "completion", "Print the script that makes kubectl complete `kubectl stash`",
      "  kubectl stash completion > ~/bin/kubectl_complete-stash && chmod +x ~/bin/kubectl_complete-stash\n"
      "  # any directory in PATH will do; works in every shell in which kubectl itself completes (1.26 and newer)\n");
  CLI::App* complete = app.add_subcommand("__complete", "");
  complete->group("");  // not shown
  complete->prefix_command();
}

namespace {

const CLI::App* find_command(const CLI::App& app, const std::string& name) {
  const auto named = app.get_subcommands([&](const CLI::App* command) { return command->get_name() == name; });
  return named.empty() ? nullptr : named.front();
}

}  // namespace

std::string usage_error(const CLI::App& app, const CLI::ParseError& problem, const std::vector<std::string>& words) {
  const std::string first = words.empty() ? "" : words.front();
  if (first.starts_with('-'))
    return fmt::format("{} stands behind the command, as in: kubectl stash status {}", first, first);
  if (find_command(app, first) == nullptr)
    return fmt::format("there is no command {}; see: kubectl stash --help", first);
  std::string what = problem.what();
  if (const auto end = what.find(": At Most 1 required"); end != std::string::npos)
    what = fmt::format("one {} at a time", what.substr(0, end));
  return fmt::format("{}; see: kubectl stash {} --help", what, first);
}

namespace {

/// What the argument of a command is the name of.
std::string kind_of_names(const std::string& command) {
  if (command == "snapshots" || command == "download" || command == "unlock") return "repositories.stash.appscode.com";
  if (command == "status" || command == "trigger" || command == "pause" || command == "resume" || command == "restore")
    return "backupconfigurations.stash.appscode.com";
  return "";
}

/// The long name of the flag that is this word and waits for its value; "" for any other word.
std::string flag_without_value(const CLI::App& command, const std::string& word) {
  if (!word.starts_with('-')) return "";
  const CLI::Option* option = command.get_option_no_throw(word);
  if (option == nullptr || option->get_items_expected_min() == 0 || option->get_lnames().empty()) return "";
  return "--" + option->get_lnames().front();
}

}  // namespace

Completion completions(const CLI::App& app, const std::vector<std::string>& words,
                       const std::function<std::vector<std::string>(const std::string& kind)>& objects) {
  const std::string begun = words.empty() ? "" : words.back();
  Completion found;
  const auto offer = [&](const std::string& candidate) {
    if (candidate.starts_with(begun)) found.candidates.push_back(candidate);
  };
  if (words.size() <= 1) {
    for (const CLI::App* command : app.get_subcommands({})) {
      if (!command->get_group().empty()) offer(command->get_name());
    }
    return found;
  }
  const CLI::App* command = find_command(app, words.front());
  if (command == nullptr) return {};
  if (const std::string flag = flag_without_value(*command, words[words.size() - 2]); !flag.empty()) {
    if (flag == "--output") std::ranges::for_each(std::array{"table", "json", "yaml"}, offer);
    if (flag == "--dry-run") std::ranges::for_each(std::array{"client", "none"}, offer);
    if (flag == "--namespace") std::ranges::for_each(objects("namespaces"), offer);
    found.files = flag == "--filename" || flag == "--destination" || flag == "--kubeconfig";
    return found;
  }
  if (begun.starts_with('-')) {
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& flag : option->get_lnames()) offer("--" + flag);
    }
    return found;
  }
  if (const std::string kind = kind_of_names(words.front()); !kind.empty()) std::ranges::for_each(objects(kind), offer);
  return found;
}

Options place_of(const std::vector<std::string>& words) {
  Options place;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const auto read = [&](const std::string& flag, std::string& value) {
      if (words[i] == flag && i + 2 < words.size()) value = words[i + 1];
      if (flag.starts_with("--") && words[i].starts_with(flag + "=")) value = words[i].substr(flag.size() + 1);
    };
    read("-n", place.ns);
    read("--namespace", place.ns);
    read("--context", place.context);
    read("--kubeconfig", place.kubeconfig);
  }
  return place;
}

}  // namespace stash::cli
