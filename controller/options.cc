#include "controller/options.h"

#include <CLI/CLI.hpp>

#include "inject/runtime_settings.h"

namespace stash::controller {

bool parse_options(int argc, char** argv, Options& options, int& exit_code) {
  CLI::App app(
      "Stash's controller: makes CronJobs, follows backup and restore sessions to their end, gives sidecars the rights "
      "they need, and keeps the webhook's certificates.");
  std::int64_t claim = options.limits.claim.count();
  inject::add_server_options(app, options);
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
  app.add_option("--wipe-out-limit", options.limits.wiped_at_once,
                 "When more Repositories with wipeOut than this are being deleted, their data stays until somebody "
                 "confirms it; 0: no limit");
  app.add_option_function<std::string>(
         "--sidecar-upgrade",
         [&options](const std::string& when) { options.settings.upgrade_at_once = when == "at-once"; },
         "next-rollout: injected containers get another --image when their pods restart anyway; at-once: for its sake")
      ->check(CLI::IsMember({"next-rollout", "at-once"}));
  const auto add_resources = [&app](const std::string& flag, Json& resources, const std::string& of) {
    app.add_option_function<std::string>(
        flag,
        [flag, &resources](const std::string& json) {
          auto parsed = inject::parse_resources(json);
          if (!parsed) throw CLI::ValidationError(flag, parsed.error().message);
          resources = *std::move(parsed);
        },
        of + R"(, as {"requests": .., "limits": ..})");
  };
  add_resources("--cron-job-resources", options.job_resources.cron_job, "Resources of the pods of the CronJobs");
  add_resources("--wipe-out-resources", options.job_resources.wipe_out,
                "Resources of the pods that remove the data of a Repository");
  app.add_flag("--dry-run", options.dry_run, "Print what would be written, and write nothing");
  if (!inject::parse_command_line(app, argc, argv, exit_code)) return false;
  options.limits.claim = std::chrono::seconds(claim);
  return true;
}

}  // namespace stash::controller
