#include "webhook/options.h"

#include <CLI/CLI.hpp>

namespace stash::webhook {

bool parse_options(int argc, char** argv, Options& options, int& exit_code) {
  CLI::App app(
      "Stash's admission webhook: adds the backup sidecar to workloads that a BackupConfiguration names, and "
      "tells authors of Stash's own objects what they should know.");
  std::int64_t delay = options.shutdown_delay.count();
  inject::add_server_options(app, options);
  app.add_option("--listen", options.listen, "Address of the webhook (HTTPS)");
  app.add_option("--cert-secret", options.cert_secret, "Secret with tls.crt and tls.key, in our namespace")->required();
  app.add_option("--operator-account", options.settings.operator_account,
                 "User name of the controller, which makes Repositories from BackupBlueprints");
  app.add_option("--shutdown-delay", delay, "Seconds to go on serving after SIGTERM, until no endpoint names us")
      ->check(CLI::Range(0, 300))
      ->transform(CLI::AsNumberWithUnit(std::map<std::string, std::int64_t>{{"s", 1}, {"m", 60}},
                                        CLI::AsNumberWithUnit::Options::UNIT_OPTIONAL));
  if (!inject::parse_command_line(app, argc, argv, exit_code)) return false;
  options.shutdown_delay = std::chrono::seconds(delay);
  return true;
}

}  // namespace stash::webhook
