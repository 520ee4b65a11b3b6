#include "cli/sidecar_call.h"

#include <fmt/format.h>

#include "api/resource.h"

namespace stash::cli {

namespace {

std::string_view last_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  const auto line = text.rfind('\n');
  return line == std::string_view::npos ? text : text.substr(line + 1);
}

Result<std::vector<std::string>> exec_for(Kubectl& kubectl, const std::string& ns, const std::string& repository,
                                          const std::string& subcommand, const std::vector<std::string>& more) {
  TRY_VOID(kubectl.get(api::kRepositories, repository, ns));
  TRY(const Json configurations, kubectl.list(api::kBackupConfigurations, ns));
  std::vector<std::string> names;
  std::string targets;
  for (const Json& configuration : configurations) {
    if (string_at(configuration, {"spec", "repository", "name"}) != repository) continue;
    names.push_back(string_at(configuration, {"metadata", "name"}));
    targets +=
        fmt::format("{}{} {}", targets.empty() ? "" : ", ", string_at(configuration, {"spec", "target", "ref", "kind"}),
                    string_at(configuration, {"spec", "target", "ref", "name"}));
  }
  if (names.empty()) {
    return fail(ErrorCode::not_found,
                fmt::format("no BackupConfiguration uses Repository {}/{}, so no pod has its password; run restic by "
                            "hand with the Secret of spec.backend.storageSecretName",
                            ns, repository));
  }
  TRY(const Json pods, kubectl.list(api::kPods, ns));
  const Json* pod = pod_with_sidecar(pods, names);
  if (pod == nullptr) {
    return fail(ErrorCode::not_found,
                fmt::format("no pod in namespace {} runs a sidecar for Repository {}, and only a sidecar has its "
                            "password: see to it that {} has a running pod (kubectl stash status -n {})",
                            ns, repository, targets, ns));
  }
  return exec_arguments(*pod, subcommand, repository, more);
}

/// What failed inside of the pod says so on its last line; kubectl adds its own.
Error of_subcommand(Error error) {
  const auto end = error.message.find(" command terminated with exit code");
  if (end != std::string::npos) error.message.erase(end);
  return error;
}

}  // namespace

Result<std::string> ask_sidecar(Kubectl& kubectl, const std::string& ns, const std::string& repository,
                                const std::string& subcommand) {
  TRY(const auto arguments, exec_for(kubectl, ns, repository, subcommand, {}));
  const auto output = kubectl.run(arguments);
  if (!output) return std::unexpected(of_subcommand(output.error()));
  return std::string(last_line(*output));
}

Result<void> ask_sidecar_into(Kubectl& kubectl, const std::string& ns, const std::string& repository,
                              const std::string& subcommand, const std::vector<std::string>& more, int output_fd) {
  TRY(const auto arguments, exec_for(kubectl, ns, repository, subcommand, more));
  auto done = kubectl.run_into(arguments, output_fd);
  if (!done) return std::unexpected(of_subcommand(done.error()));
  return done;
}

Result<std::vector<SnapshotFacts>> ask_for_snapshots(Kubectl& kubectl, const std::string& ns,
                                                     const std::string& repository) {
  TRY(const std::string list, ask_sidecar(kubectl, ns, repository, "snapshots"));
  return snapshots_of_restic(list);
}

}  // namespace stash::cli
