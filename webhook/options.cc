#include "webhook/options.h"

#include <CLI/CLI.hpp>

namespace stash::webhook {

bool parse_options(int argc, char** argv, Options& options, int& exit_code) {
  CLI::App app(
      "Stash's admission webhook: adds the backup sidecar to workloads that a BackupConfiguration names, and "
      "tells authors of Stash's own objects what they should know.");
  std::string mode = "opt-in";
  std::int64_t delay = options.shutdown_delay.count();
  app.add_option("--namespace", options.ns, "Our own namespace (default: POD_NAMESPACE, else the service account's)")
      ->envname("POD_NAMESPACE");
  app.add_option("--kubeconfig", options.kubeconfig, "Outside a cluster: path of a kubeconfig");
  app.add_option("--image", options.settings.image, "Image of the injected containers")->required();
  app.add_option("--pushgateway-url", options.settings.pushgateway_url,
                 "Where sidecars push their metrics; empty: nowhere");
  app.add_option("--image-pull-secret", options.settings.image_pull_secrets,
                 "Name of a pull secret for the injected image, in the workload's namespace; repeatable");
  app.add_option("--injection-mode", mode,
                 "opt-in: namespaces labelled stash.appscode.com/injection=enabled; opt-out: all but those labelled "
                 "disabled")
      ->check(CLI::IsMember({"opt-in", "opt-out"}));
  app.add_option("--listen", options.listen, "Address of the webhook (HTTPS)");
  app.add_option("--health-address", options.health_address, "Address of /healthz, /readyz and /metrics (HTTP)");
  app.add_option("--cert-secret", options.cert_secret, "Secret with tls.crt and tls.key, in our namespace")->required();
  app.add_option("--shutdown-delay", delay, "Seconds to go on serving after SIGTERM, until no endpoint names us")
      ->check(CLI::Range(0, 300))
      ->transform(CLI::AsNumberWithUnit(std::map<std::string, std::int64_t>{{"s", 1}, {"m", 60}},
                                        CLI::AsNumberWithUnit::Options::UNIT_OPTIONAL));
  app.add_option("--log-level", options.log_level, "debug, info, warning or error")
      ->transform(CLI::CheckedTransformer(std::map<std::string, LogLevel>{{"debug", LogLevel::debug},
                                                                          {"info", LogLevel::info},
                                                                          {"warning", LogLevel::warning},
                                                                          {"error", LogLevel::error}}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error);
    return false;
  }
  options.settings.opt_in = mode == "opt-in";
  options.shutdown_delay = std::chrono::seconds(delay);
  return true;
}

}  // namespace stash::webhook
