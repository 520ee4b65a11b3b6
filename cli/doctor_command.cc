#include "base/base64.h"
#include "base/text.h"
#include "certs/authority.h"
#include "cli/commands.h"
#include "cli/doctor.h"
#include "cli/program_deployment.h"
#include "cli/terminal.h"

namespace stash::cli {

namespace {

void read_published_cas(DoctorWorld& world, std::vector<std::string>& bundles) {
  for (const Json& configuration : world.lists["mutatingwebhookconfigurations"]) {
    for (const Json& hook : array_at(configuration, {"webhooks"})) {
      if (string_at(hook, {"name"}) != kInjectorWebhook) continue;
      const auto pem = decode_base64(string_at(hook, {"clientConfig", "caBundle"}));
      if (!pem || pem->empty()) continue;
      bundles.push_back(*pem);
      // The first one signs; others are older ones that are still trusted.
      if (auto facts = certs::inspect(*pem)) world.published_cas.push_back(*std::move(facts));
    }
  }
}

/// Of the Secret only the certificate is asked for, and never the key.
void read_serving_certificate(Kubectl& kubectl, DoctorWorld& world, const std::vector<std::string>& bundles) {
  const auto webhooks = program_deployments(world.lists["deployments"], kWebhookProgram);
  if (webhooks.empty()) return;
  const std::string secret = argument_of(*webhooks.front(), "cert-secret");
  if (secret.empty()) return;
  const auto encoded = kubectl.run({"get", "secret", "-n", string_at(*webhooks.front(), {"metadata", "namespace"}),
                                    "-o", "jsonpath={.data.tls\\.crt}", "--", secret});
  const auto pem = encoded ? decode_base64(trimmed(*encoded)) : Result<std::string>(std::unexpected(encoded.error()));
  auto facts = pem ? certs::inspect(*pem) : Result<certs::CertificateFacts>(std::unexpected(pem.error()));
  if (!facts) {
    world.unreadable["certificate"] = facts.error().message;
    return;
  }
  world.serving_certificate = *std::move(facts);
  world.serving_certificate_is_signed = bundles.empty() || std::ranges::any_of(bundles, [&](const std::string& ca) {
                                          return certs::signed_by(*pem, ca);
                                        });
}

}  // namespace

Result<int> run_doctor(Kubectl& kubectl, const Options& options) {
  DoctorWorld world;
  world.now = system_clock().now();
  for (const std::string& kind : doctor_kinds()) {
    const std::string plural = kind.substr(0, kind.find('.'));
    auto list = kubectl.list(kind, "");
    if (!list && list.error().code == ErrorCode::denied) {
      world.unreadable[plural] = list.error().message;
      continue;
    }
    if (!list) return std::unexpected(list.error());
    world.lists[plural] = *std::move(list);
  }
  std::vector<std::string> bundles;
  read_published_cas(world, bundles);
  read_serving_certificate(kubectl, world, bundles);
  const std::vector<Check> checks = diagnose(world);
  if (!print_report(doctor_report(checks), options.output)) print(render_doctor(checks, wants_colours()));
  return has_problem(checks) ? kFailed : kSucceeded;
}

}  // namespace stash::cli
