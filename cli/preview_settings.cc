#include "cli/preview_settings.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/program_deployment.h"
#include "cli/terminal.h"
#include "inject/server_program.h"

namespace stash::cli {

namespace {

/// As the webhook itself reads its command line.
Result<inject::Settings> settings_from(const std::vector<std::string>& arguments, const std::string& ns) {
  inject::ServerOptions options;
  CLI::App app;
  app.allow_extras();
  inject::add_server_options(app, options);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& problem) {
    return fail(ErrorCode::invalid, fmt::format("the arguments of stash-webhook: {}", problem.what()));
  }
  options.ns = ns;
  inject::complete(options, ns);
  return options.settings;
}

Result<inject::Settings> noted_defaults(const std::string& image, std::vector<std::string>& notes) {
  notes.push_back(
      fmt::format("settings are the chart's defaults, with image {}, and a Repository may be in any "
                  "directory of a node",
                  image));
  return chart_defaults(image);
}

}  // namespace

Result<inject::Settings> chart_defaults(const std::string& image) {
  return settings_from(
      {"--image=" + image, "--pushgateway-url=http://stash-operator.stash.svc:56789", "--allowed-host-path=/",
       R"(--sidecar-resources={"requests":{"cpu":"10m","memory":"32Mi","ephemeral-storage":"64Mi"},)"
       R"("limits":{"cpu":"1","memory":"1Gi","ephemeral-storage":"4Gi"},"guaranteed":{"cpu":"100m","memory":"256Mi"}})"},
      "stash");
}

Result<inject::Settings> live_settings(Kubectl& kubectl, const std::string& image, std::vector<std::string>& notes) {
  const auto deployments = kubectl.list("deployments.apps", "", "app.kubernetes.io/component=webhook");
  if (!deployments && deployments.error().code == ErrorCode::denied) {
    say(fmt::format("the webhook's settings cannot be read ({}): the chart's defaults are assumed",
                    deployments.error().message));
    return noted_defaults(image, notes);
  }
  if (!deployments) return std::unexpected(deployments.error());
  const auto webhooks = program_deployments(*deployments, kWebhookProgram);
  if (webhooks.empty()) {
    return fail(ErrorCode::not_found,
                "no Deployment runs stash-webhook, so its settings are not known; is the chart installed? --local "
                "previews with the chart's defaults");
  }
  return settings_from(arguments_of(*webhooks.front()), string_at(*webhooks.front(), {"metadata", "namespace"}));
}

Result<inject::Settings> local_settings(const std::vector<Json>& objects, const std::string& image,
                                        std::vector<std::string>& notes) {
  Json deployments = Json::array();
  for (const Json& object : objects) {
    if (string_at(object, {"kind"}) == "Deployment") deployments.push_back(object);
  }
  const auto webhooks = program_deployments(deployments, kWebhookProgram);
  if (!webhooks.empty())
    return settings_from(arguments_of(*webhooks.front()),
                         string_at(*webhooks.front(), {"metadata", "namespace"}, "stash"));
  return noted_defaults(image, notes);
}

}  // namespace stash::cli
