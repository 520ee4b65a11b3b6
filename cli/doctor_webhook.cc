#include <fmt/format.h>

#include <algorithm>

#include "cli/doctor_world.h"
#include "cli/object.h"

/// Can the API server call the webhook?
namespace stash::cli {

namespace {

constexpr std::chrono::hours kSoon{48};

const Json* injector_configuration(const DoctorWorld& world) {
  for (const Json& configuration : list_of(world, "mutatingwebhookconfigurations")) {
    for (const Json& hook : array_at(configuration, {"webhooks"})) {
      if (string_at(hook, {"name"}) == kInjectorWebhook) return &configuration;
    }
  }
  return nullptr;
}

void check_hook(const DoctorWorld& world, const Json& configuration, const Json& hook, Checks& checks, bool& good) {
  constexpr std::string_view kArea = "webhook";
  const std::string name = string_at(hook, {"name"});
  if (string_at(hook, {"clientConfig", "caBundle"}).empty()) {
    good = false;
    wrong(
        checks, Check::Level::problem, kArea,
        fmt::format("webhook {} of {} has no caBundle, so the API server cannot call it", name, name_of(configuration)),
        "the controller publishes it within a minute; if not, see its log and its flags --webhook-configuration");
  }
  const std::string service = string_at(hook, {"clientConfig", "service", "name"});
  const std::string ns = string_at(hook, {"clientConfig", "service", "namespace"});
  if (!service.empty() && !world.unreadable.contains("services") &&
      find_named(list_of(world, "services"), service, ns) == nullptr) {
    good = false;
    wrong(checks, Check::Level::problem, kArea,
          fmt::format("Service {}/{} of webhook {} does not exist", ns, service, name),
          "upgrade the chart, or delete the webhook configuration when Stash was uninstalled");
  }
  if (name == kInjectorWebhook && string_at(hook, {"failurePolicy"}) == "Fail") {
    good = false;
    wrong(checks, Check::Level::warning, kArea,
          "the injector's failurePolicy is Fail: while the webhook is down no workload can be changed",
          "upgrade the chart, which sets Ignore");
  }
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

}  // namespace

void check_webhook(const DoctorWorld& world, Checks& checks) {
  constexpr std::string_view kArea = "webhook";
  if (!readable(world, kArea, {"mutatingwebhookconfigurations"}, checks)) return;
  const Json* injector = injector_configuration(world);
  if (injector == nullptr) {
    wrong(checks, Check::Level::problem, kArea,
          fmt::format("no MutatingWebhookConfiguration has the webhook {}: nothing is injected", kInjectorWebhook),
          std::string(kInstall));
    return;
  }
  bool good = true;
  for (const Json& hook : array_at(*injector, {"webhooks"})) check_hook(world, *injector, hook, checks, good);
  for (const Json& configuration : list_of(world, "validatingwebhookconfigurations")) {
    for (const Json& hook : array_at(configuration, {"webhooks"})) {
      if (string_at(hook, {"name"}).ends_with(".authorization.stash.appscode.com") ||
          string_at(hook, {"name"}).ends_with(".admission.stash.appscode.com")) {
        check_hook(world, configuration, hook, checks, good);
      }
    }
  }
  if (good) well(checks, kArea, fmt::format("{} is registered, with a CA", name_of(*injector)));
}

void check_certificates(const DoctorWorld& world, Checks& checks) {
  for (const auto& ca : world.published_cas) check_certificate(world, ca, "published CA", checks);
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
