#include "inject/server_program.h"

#include <CLI/CLI.hpp>
#include <csignal>

#include "base/core_dumps.h"
#include "base/process.h"
#include "base/version.h"
#include "inject/host_path.h"

namespace stash::inject {

void add_server_options(CLI::App& app, ServerOptions& options) {
  app.add_option("--namespace", options.ns, "Our own namespace (default: POD_NAMESPACE, else the service account's)")
      ->envname("POD_NAMESPACE");
  app.add_option("--kubeconfig", options.kubeconfig, "Outside a cluster: path of a kubeconfig");
  app.add_option("--image", options.settings.image, "Image of the injected containers and of the CronJobs")->required();
  app.add_option("--pushgateway-url", options.settings.pushgateway_url,
                 "Where sidecars push their metrics; empty: nowhere");
  app.add_option("--image-pull-secret", options.settings.image_pull_secrets,
                 "Name of a pull secret for that image, in the workload's namespace; repeatable");
  app.add_option_function<std::string>(
      "--sidecar-resources",
      [&options](const std::string& json) {
        auto resources = parse_default_resources(json);
        if (!resources) throw CLI::ValidationError("--sidecar-resources", resources.error().message);
        options.settings.resources = *std::move(resources);
      },
      R"(Default resources of the injected containers, as {"requests": .., "limits": .., "guaranteed": ..})");
  app.add_option_function<std::string>(
         "--injection-mode", [&options](const std::string& mode) { options.settings.opt_in = mode == "opt-in"; },
         "opt-in: namespaces labelled stash.appscode.com/injection=enabled; opt-out: all but those labelled disabled")
      ->check(CLI::IsMember({"opt-in", "opt-out"}));
  app.add_option("--allowed-host-path", options.settings.allowed_host_paths,
                 "Path of the nodes at or below which Repositories may be (hostPath); repeatable; none: nowhere")
      ->check([](const std::string& path) {
        return is_comparable(path) ? std::string() : path + " must be absolute and without ..";
      });
  app.add_option("--exec-hooks", options.settings.exec_hooks,
                 "false: exec hooks are refused; the chart's hooks.exec, which also takes the right away");
  app.add_option("--health-address", options.health_address, "Address of /healthz, /readyz and /metrics (HTTP)");
  app.add_option("--log-level", options.log_level, "debug, info, warning or error")
      ->transform(CLI::CheckedTransformer(std::map<std::string, LogLevel>{{"debug", LogLevel::debug},
                                                                          {"info", LogLevel::info},
                                                                          {"warning", LogLevel::warning},
                                                                          {"error", LogLevel::error}}));
}

bool parse_command_line(CLI::App& app, int argc, char** argv, int& exit_code) {
  app.set_version_flag("--version", std::string(version()));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error);
    return false;
  }
  return true;
}

void complete(ServerOptions& options, const std::string& cluster_namespace) {
  if (options.ns.empty()) options.ns = cluster_namespace;
  options.settings.excluded_namespaces = {"kube-system", "kube-node-lease", "kube-public", options.ns};
}

void prepare_process() {
  catch_stop_signals();
  forbid_core_dumps();
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace stash::inject
