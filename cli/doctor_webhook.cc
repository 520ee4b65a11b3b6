#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>

#include "cli/doctor_world.h"
#include "cli/install_command.h"
#include "cli/object.h"
#include "cli/program_deployment.h"

/// Can the API server call the webhook?
namespace stash::cli {

namespace {

constexpr std::chrono::hours kSoon{48};
constexpr std::string_view kAuthorization = ".authorization.stash.appscode.com";
constexpr std::string_view kAdmission = ".admission.stash.appscode.com";
constexpr std::array<std::string_view, 4> kAuthorized{"backupblueprint", "backupconfiguration", "repository",
                                                      "restoresession"};
constexpr std::array<std::string_view, 5> kWarnedAbout{"backupblueprint", "backupconfiguration", "backupsession",
                                                       "repository", "restoresession"};

const Json* injector_configuration(const DoctorWorld& world) {
  for (const Json& configuration : list_of(world, "mutatingwebhookconfigurations")) {
    for (const Json& hook : array_at(configuration, {"webhooks"})) {
      if (string_at(hook, {"name"}) == kInjectorWebhook) return &configuration;
    }
  }
  return nullptr;
}

/// One fault of the chart or controller concerns many webhooks, and is told once.
struct HookFaults {
  std::map<std::string, std::vector<std::string>> without_ca;       ///< by configuration, names of webhooks
  std::map<std::string, std::vector<std::string>> without_service;  ///< by Service
  bool injector_fails = false;
  std::vector<std::string> ignored;  ///< webhooks that check rights, and that the API server does without
};

void look_at_hook(const DoctorWorld& world, const Json& configuration, const Json& hook, HookFaults& faults) {
  const std::string name = string_at(hook, {"name"});
  if (string_at(hook, {"clientConfig", "caBundle"}).empty()) faults.without_ca[name_of(configuration)].push_back(name);
  const std::string service = string_at(hook, {"clientConfig", "service", "name"});
  const std::string ns = string_at(hook, {"clientConfig", "service", "namespace"});
  if (!service.empty() && !world.unreadable.contains("services") &&
      find_named(list_of(world, "services"), service, ns) == nullptr) {
    faults.without_service[ns + "/" + service].push_back(name);
  }
  const std::string policy = string_at(hook, {"failurePolicy"});
  if (name == kInjectorWebhook && policy == "Fail") faults.injector_fails = true;
  if (name.ends_with(kAuthorization) && policy == "Ignore") faults.ignored.push_back(name);
}

/// "webhook a", "webhook a and 3 others"
std::string webhooks_named(const std::vector<std::string>& names) {
  if (names.size() == 1) return "webhook " + names[0];
  return fmt::format("webhook {} and {} other{}", names[0], names.size() - 1, names.size() == 2 ? "" : "s");
}

/// True when there are none.
bool tell_faults(const HookFaults& faults, Checks& checks) {
  constexpr std::string_view kArea = "webhook";
  for (const auto& [configuration, names] : faults.without_ca) {
    wrong(checks, Check::Level::problem, kArea,
          fmt::format("{} of {} {} no caBundle, so the API server cannot call {}", webhooks_named(names), configuration,
                      names.size() == 1 ? "has" : "have", names.size() == 1 ? "it" : "them"),
          "the controller publishes it within a minute; if not, see its log and its flags --webhook-configuration and "
          "--validating-webhook-configuration");
  }
  for (const auto& [service, names] : faults.without_service) {
    wrong(checks, Check::Level::problem, kArea,
          fmt::format("Service {} of {} does not exist", service, webhooks_named(names)),
          "upgrade the chart, or delete the webhook configuration when Stash was uninstalled");
  }
  if (faults.injector_fails) {
    wrong(checks, Check::Level::warning, kArea,
          "the injector's failurePolicy is Fail: while the webhook is down no workload can be changed",
          "upgrade the chart, which sets Ignore");
  }
  if (!faults.ignored.empty()) {
    wrong(checks, Check::Level::problem, kArea,
          fmt::format("the failurePolicy of {} is Ignore: while the webhook is down nobody's rights are checked",
                      webhooks_named(faults.ignored)),
          "upgrade the chart, which sets Fail");
  }
  return faults.without_ca.empty() && faults.without_service.empty() && !faults.injector_fails &&
         faults.ignored.empty();
}

bool is_hook_of_ours(std::string_view webhook) {
  return webhook.ends_with(kAuthorization) || webhook.ends_with(kAdmission);
}

/// Of each kind that is without its webhook.
std::vector<std::string> missing(std::span<const std::string_view> kinds, std::string_view suffix,
                                 const std::set<std::string>& present) {
  std::vector<std::string> names;
  for (const std::string_view kind : kinds) {
    std::string name = fmt::format("{}{}", kind, suffix);
    if (!present.contains(name)) names.push_back(std::move(name));
  }
  return names;
}

/// True when all are there.
bool tell_missing(const std::set<std::string>& present, Checks& checks) {
  constexpr std::string_view kArea = "webhook";
  const auto unchecked = missing(kAuthorized, kAuthorization, present);
  if (!unchecked.empty()) {
    wrong(
        checks, Check::Level::problem, kArea,
        fmt::format("no ValidatingWebhookConfiguration has {}: Stash does for the author of an object what he may not "
                    "do himself",
                    webhooks_named(unchecked)),
        "upgrade the chart, which makes them");
  }
  const auto silent = missing(kWarnedAbout, kAdmission, present);
  if (!silent.empty()) {
    wrong(checks, Check::Level::warning, kArea,
          fmt::format(
              "no ValidatingWebhookConfiguration has {}: kubectl apply does not show what is wrong with an object",
              webhooks_named(silent)),
          "upgrade the chart, which makes them");
  }
  return unchecked.empty() && silent.empty();
}

void check_certificate(const DoctorWorld& world, const certs::CertificateFacts& facts, std::string_view which,
                       Checks& checks) {
  constexpr std::string_view kArea = "certificates";
  constexpr std::string_view kRemedy =
      "the controller renews it in time; see its log, or delete the Secret of --cert-secret and wait a minute";
  const std::string until = format_time(facts.not_after);
  if (world.now >= facts.not_after) {
    wrong(checks, Check::Level::problem, kArea, fmt::format("the {} has expired at {}", which, until),
          std::string(kRemedy));
  } else if (world.now < facts.not_before) {
    wrong(checks, Check::Level::problem, kArea,
          fmt::format("the {} is valid only from {}", which, format_time(facts.not_before)),
          "set the clocks of the nodes and of this machine right");
  } else if (facts.not_after - world.now < kSoon &&
             facts.not_after - world.now < (facts.not_after - facts.not_before) / 4) {
    wrong(checks, Check::Level::warning, kArea, fmt::format("the {} expires soon, at {}", which, until),
          std::string(kRemedy));
  } else {
    well(checks, kArea, fmt::format("the {} is valid until {}", which, until));
  }
}

/// ": kubectl logs ...", when it is known where.
std::string log_of_controller(const DoctorWorld& world) {
  const auto controllers = program_deployments(list_of(world, "deployments"), kControllerProgram);
  if (controllers.empty()) return "";
  return fmt::format(": kubectl logs -n {} deployment/{} -c controller", ns_of(*controllers[0]),
                     name_of(*controllers[0]));
}

}  // namespace

void check_webhook(const DoctorWorld& world, Checks& checks) {
  constexpr std::string_view kArea = "webhook";
  if (!readable(world, kArea, {"mutatingwebhookconfigurations"}, checks)) return;
  const Json* injector = injector_configuration(world);
  if (injector == nullptr) {
    wrong(checks, Check::Level::problem, kArea,
          fmt::format("no MutatingWebhookConfiguration has the webhook {}: nothing is injected", kInjectorWebhook),
          how_to_install());
    return;
  }
  HookFaults faults;
  for (const Json& hook : array_at(*injector, {"webhooks"})) look_at_hook(world, *injector, hook, faults);
  const bool sees_all = readable(world, kArea, {"validatingwebhookconfigurations"}, checks);
  std::set<std::string> present;
  for (const Json& configuration : list_of(world, "validatingwebhookconfigurations")) {
    for (const Json& hook : array_at(configuration, {"webhooks"})) {
      const std::string name = string_at(hook, {"name"});
      if (!is_hook_of_ours(name)) continue;
      present.insert(name);
      look_at_hook(world, configuration, hook, faults);
    }
  }
  const bool complete = !sees_all || tell_missing(present, checks);
  if (tell_faults(faults, checks) && complete)
    well(checks, kArea, fmt::format("{} is registered, with a CA", name_of(*injector)));
}

void check_certificates(const DoctorWorld& world, Checks& checks) {
  for (const auto& ca : world.published_cas) check_certificate(world, ca, "published CA", checks);
  if (!world.certificate_fault.empty()) {
    wrong(checks, Check::Level::problem, "certificates",
          "the webhook has no serving certificate: " + world.certificate_fault,
          "the controller makes it anew within a minute; if not, see its log" + log_of_controller(world));
    return;
  }
  if (!world.serving_certificate) {
    const auto why = world.unreadable.find("certificate");
    if (why == world.unreadable.end()) return;
    wrong(checks, Check::Level::warning, "certificates", "the serving certificate cannot be read: " + why->second,
          "run doctor with an account that may read that Secret");
    return;
  }
  check_certificate(world, *world.serving_certificate, "serving certificate", checks);
  if (world.serving_certificate_is_signed) return;
  wrong(checks, Check::Level::problem, "certificates", "the serving certificate is not signed by the published CA",
        "the controller publishes the CA within a minute; if not, see its log");
}

}  // namespace stash::cli
