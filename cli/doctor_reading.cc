#include "cli/doctor_reading.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/base64.h"
#include "base/text.h"
#include "certs/authority.h"
#include "cli/doctor_world.h"
#include "cli/object.h"
#include "cli/program_deployment.h"

namespace stash::cli {

namespace {

void read_published_cas(DoctorWorld& world, std::vector<std::string>& bundles) {
  for (const Json& configuration : list_of(world, "mutatingwebhookconfigurations")) {
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
Result<void> read_serving_certificate(Kubectl& kubectl, DoctorWorld& world, const std::vector<std::string>& bundles) {
  const auto webhooks = program_deployments(list_of(world, "deployments"), kWebhookProgram);
  if (webhooks.empty()) return {};
  const std::string secret = argument_of(*webhooks.front(), "cert-secret");
  if (secret.empty()) return {};
  const std::string ns = ns_of(*webhooks.front());
  const std::string ref = fmt::format("Secret {}/{}", ns, secret);
  const auto encoded = kubectl.run({"get", "secret", "-n", ns, "-o", "jsonpath={.data.tls\\.crt}", "--", secret});
  if (!encoded && encoded.error().code == ErrorCode::denied) {
    world.unreadable["certificate"] = encoded.error().message;
    return {};
  }
  if (!encoded && encoded.error().code != ErrorCode::not_found) return std::unexpected(encoded.error());
  const std::string_view text = encoded ? trimmed(*encoded) : std::string_view();
  if (text.empty()) {
    world.certificate_fault = ref + (encoded ? " has no tls.crt" : " does not exist");
    return {};
  }
  const auto pem = decode_base64(text);
  auto facts = pem ? certs::inspect(*pem) : Result<certs::CertificateFacts>(std::unexpected(pem.error()));
  if (!facts) {
    world.certificate_fault = fmt::format("tls.crt of {}: {}", ref, facts.error().message);
    return {};
  }
  world.serving_certificate = *std::move(facts);
  world.serving_certificate_is_signed = bundles.empty() || std::ranges::any_of(bundles, [&](const std::string& ca) {
                                          return certs::signed_by(*pem, ca);
                                        });
  return {};
}

}  // namespace

Result<DoctorWorld> read_doctor_world(Kubectl& kubectl, TimePoint now) {
  DoctorWorld world;
  world.now = now;
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
  TRY_VOID(read_serving_certificate(kubectl, world, bundles));
  return world;
}

}  // namespace stash::cli
