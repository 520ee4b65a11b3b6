#include "webhook/certificate.h"

#include "base/log.h"
#include "certs/secret.h"

namespace stash::webhook {

std::shared_ptr<const certs::ServingPair> Certificate::current() const {
  const std::lock_guard lock(mutex_);
  return pair_;
}

void Certificate::take(const Json* secret) {
  if (secret == nullptr) {
    log_warning("the Secret with the serving certificate was deleted; the last good one goes on being served");
    return;
  }
  const certs::SecretData data = certs::data_of_secret(*secret);
  const auto entry = [&](std::string_view key) {
    const auto found = data.find(key);
    return found == data.end() ? std::string_view() : std::string_view(found->second);
  };
  auto pair = certs::ServingPair::load(entry(certs::kLeafCert), entry(certs::kLeafKey));
  if (!pair) {
    log_warning("the Secret's tls.crt and tls.key cannot be served: {}; the last good pair, if any, goes on",
                pair.error().message);
    return;
  }
  log_info("serving the certificate that ends {}", format_time((*pair)->facts().not_after));
  const std::lock_guard lock(mutex_);
  pair_ = *std::move(pair);
}

std::unique_ptr<kube::Cache> watch_certificate(const kube::Config& config, const api::ObjectRef& secret,
                                               Certificate& certificate) {
  kube::Cache::Options options;
  options.ns = secret.ns;
  options.field_selector = "metadata.name=" + secret.name;
  return std::make_unique<kube::Cache>(
      config, api::kSecrets, std::move(options),
      [&certificate](const api::ObjectRef&, const kube::Cache::Object&, const kube::Cache::Object& after) {
        certificate.take(after.get());
      });
}

}  // namespace stash::webhook
