#pragma once
#include <optional>
#include <string>

#include "api/backup_configuration.h"
#include "cli/kubectl.h"
#include "cli/options.h"

/// The commands: each asks kubectl, has the core decide, prints. They return the exit code; an Error becomes 1, or 2
/// when it is of how the command was used (Usage).
namespace stash::cli {

/// A wrong command line that the parser lets pass.
std::unexpected<Error> misuse(std::string message);
/// What is wrong with it; nullopt for any other error.
std::optional<std::string> misuse_of(const Error& error);

/// Errors not_found: there is none of that name.
Result<api::BackupConfiguration> read_configuration(Kubectl& kubectl, const std::string& ns, const std::string& name);

Result<int> show_status(Kubectl& kubectl, const Options& options);
Result<int> trigger(Kubectl& kubectl, const Options& options);
Result<int> set_paused(Kubectl& kubectl, const Options& options, bool paused);
Result<int> restore(Kubectl& kubectl, const Options& options);
Result<int> show_preview(Kubectl& kubectl, const Options& options);
Result<int> run_doctor(Kubectl& kubectl, const Options& options);
Result<int> show_migration(Kubectl& kubectl, const Options& options);
Result<int> list_snapshots(Kubectl& kubectl, const Options& options);
Result<int> unlock(Kubectl& kubectl, const Options& options);
Result<int> download(Kubectl& kubectl, const Options& options);

/// A report as JSON or YAML; false for "table", where the caller prints.
bool print_report(const Json& report, const std::string& output);

}  // namespace stash::cli
