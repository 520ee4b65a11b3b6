#include "controller/options.h"

#include <CLI/CLI.hpp>

namespace stash::controller {

bool parse_options(int argc, char** argv, Options& options, int& exit_code) {
  CLI::App app(
      "Stash's controller: makes CronJobs, follows backup and restore sessions to their end, gives sidecars the rights "
      "they need, and keeps the webhook's certificates.");
  std::string mode = "opt-in";
  std::int64_t claim = options.limits.claim.count();
  app.add_option("--namespace", options.ns, "Our own namespace (default: POD_NAMESPACE, else the service account's)")
      ->envname("POD_NAMESPACE");
  app.add_option("--kubeconfig", options.kubeconfig, "Outside a cluster: path of a kubeconfig");
  app.add_option("--image", options.settings.image, "Image of the injected containers and of the CronJobs")->required();
  app.add_option("--pushgateway-url", options.settings.pushgateway_url,
                 "Where sidecars push their metrics; empty: nowhere");
  app.add_option("--image-pull-secret", options.settings.image_pull_secrets,
                 "Name of a pull secret for that image, in the workload's namespace; repeatable");
  app.add_option("--injection-mode", mode,
                 "opt-in: namespaces labelled stash.appscode.com/injection=enabled; opt-out: all but those labelled "
                 "disabled")
      ->check(CLI::IsMember({"opt-in", "opt-out"}));
  app.add_option("--health-address", options.health_address, "Address of /healthz, /readyz and /metrics (HTTP)");
  app.add_option("--leader-election-lease", options.lease, "Lease in our namespace; its holder does the work");
  app.add_option(
      "--cert-secret", options.cert_secret,
      "Secret in our namespace for the webhook's CA and certificate; empty: certificates are not ours to make");
  app.add_option("--webhook-service", options.webhook_service, "Service of the webhook, in our namespace");
  app.add_option("--webhook-configuration", options.webhook_configuration,
                 "MutatingWebhookConfiguration that gets the CA");
  app.add_option("--validating-webhook-configuration", options.validating_configuration,
                 "ValidatingWebhookConfiguration that gets the CA; empty: none");
  app.add_option("--claim-timeout", claim, "How long a session waits for a pod before it fails, as in 90s or 10m")
      ->check(CLI::Range(1, 86'400))
      ->transform(CLI::AsNumberWithUnit(std::map<std::string, std::int64_t>{{"s", 1}, {"m", 60}, {"h", 3600}},
                                        CLI::AsNumberWithUnit::Options::UNIT_OPTIONAL));
  app.add_flag("--dry-run", options.dry_run, "Print what would be written, and write nothing");
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
  options.limits.claim = std::chrono::seconds(claim);
  return true;
}

}  // namespace stash::controller
