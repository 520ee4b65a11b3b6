#include "controller/certificates.h"

#include <algorithm>
#include <array>
#include <thread>

#include "base/backoff.h"
#include "base/base64.h"
#include "base/log.h"
#include "certs/authority.h"
#include "certs/secret.h"

namespace stash::controller {
namespace {

constexpr std::chrono::seconds kLongestWait{60};
constexpr api::Resource kValidatingWebhookConfigurations{
    "admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", false};

struct Published {
  api::Resource resource;
  Json configuration;
};

/// The webhook configurations that exist. One that is missing is no error: the chart may still be at work.
Result<std::vector<Published>> gather_published(kube::Api& api, const CertificateOptions& options) {
  std::vector<Published> found;
  const std::pair<const api::Resource&, const std::string&> wanted[] = {
      {api::kMutatingWebhookConfigurations, options.mutating_configuration},
      {kValidatingWebhookConfigurations, options.validating_configuration}};
  for (const auto& [resource, name] : wanted) {
    if (name.empty()) continue;
    auto configuration = api.get(resource, {"", name});
    if (configuration) {
      found.push_back({resource, *std::move(configuration)});
    } else if (configuration.error().code != ErrorCode::not_found) {
      return std::unexpected(configuration.error());
    }
  }
  return found;
}

std::string bundle_of(const Json& webhook) {
  return decode_base64(string_at(webhook, {"clientConfig", "caBundle"})).value_or("");
}

Result<void> write_secret(kube::Api& api, const CertificateOptions& options, const Json& live,
                          const certs::SecretData& data) {
  const Json encoded = certs::encode_secret_data(data);
  if (!live.is_object()) {
    TRY_VOID(api.create(api::kSecrets, options.secret.ns,
                        {{"apiVersion", "v1"},
                         {"kind", "Secret"},
                         {"metadata", {{"name", options.secret.name}, {"namespace", options.secret.ns}}},
                         {"data", encoded}}));
    return {};
  }
  TRY_VOID(api.merge_patch(
      api::kSecrets, options.secret,
      {{"metadata", {{"resourceVersion", string_at(live, {"metadata", "resourceVersion"})}}}, {"data", encoded}}));
  return {};
}

Result<void> publish(kube::Api& api, const Published& target, const std::string& bundle) {
  Json operations = Json::array();
  std::size_t index = 0;
  for (const Json& webhook : array_at(target.configuration, {"webhooks"})) {
    const std::string path = fmt::format("/webhooks/{}", index++);
    if (certs::normalise_pem(bundle_of(webhook)) == certs::normalise_pem(bundle)) continue;
    operations.push_back({{"op", "test"}, {"path", path + "/name"}, {"value", string_at(webhook, {"name"})}});
    operations.push_back({{"op", "add"}, {"path", path + "/clientConfig/caBundle"}, {"value", encode_base64(bundle)}});
  }
  if (operations.empty()) return {};
  TRY_VOID(api.json_patch(target.resource, {"", string_at(target.configuration, {"metadata", "name"})}, operations));
  return {};
}

}  // namespace

Result<std::chrono::seconds> reconcile_certificates(kube::Api& api, const CertificateOptions& options,
                                                    const Clock& clock) {
  auto live = api.get(api::kSecrets, options.secret);
  if (!live && live.error().code != ErrorCode::not_found) return std::unexpected(live.error());
  const Json secret = live ? *std::move(live) : Json();
  TRY(const std::vector<Published> published, gather_published(api, options));

  certs::SecretData data = secret.is_object() ? certs::data_of_secret(secret) : certs::SecretData();
  certs::RotationWorld world{.secret = certs::inspect_secret(data),
                             .wanted_dns_names = certs::webhook_dns_names(options.service, options.secret.ns),
                             .now = clock.now()};
  for (const Published& target : published) {
    for (const Json& webhook : array_at(target.configuration, {"webhooks"}))
      world.published.push_back(bundle_of(webhook));
  }
  const certs::RotationPlan plan = certs::plan_rotation(world);
  if (!plan.reason.empty()) log_info("webhook certificates: {}", plan.reason);
  if (plan.writes_secret()) {
    TRY(data, certs::carry_out(plan, data, world.wanted_dns_names, options.service, clock.now()));
    TRY_VOID(write_secret(api, options, secret, data));
  }
  if (plan.publish) {
    for (const Published& target : published) {
      TRY_VOID(publish(api, target, data[std::string(certs::kCaCert)]));
    }
  }
  return std::min(plan.look_again_in, kLongestWait);
}

void keep_certificates(kube::Api& api, const CertificateOptions& options, const Clock& clock, const kube::Term& term) {
  Backoff backoff;
  while (!term.over()) {
    std::chrono::milliseconds wait;
    if (const auto next = reconcile_certificates(api, options, clock)) {
      wait = *next;
      backoff.reset();
    } else {
      if (next.error().code != ErrorCode::cancelled) log_warning("webhook certificates: {}", next.error().message);
      wait = backoff.next();
    }
    const auto until = clock.steady() + wait;
    while (!term.over() && clock.steady() < until) std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

}  // namespace stash::controller
