#include "controller/certificates.h"

#include <catch2/catch.hpp>

#include "base/base64.h"
#include "certs/authority.h"
#include "certs/secret.h"
#include "support/api_script.h"
#include "support/fake_clock.h"

namespace {

using namespace stash;
using namespace stash::controller;

constexpr const char* kSecrets = "/api/v1/namespaces/stash/secrets";
constexpr const char* kSecret = "/api/v1/namespaces/stash/secrets/cert";
constexpr const char* kMutating = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/stash";
constexpr const char* kValidating =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/stash-warnings";

const CertificateOptions kOptions{{"stash", "cert"}, "stash-webhook", "stash", "stash-warnings"};

Json a_configuration(const char* name, const std::string& bundle) {
  Json client = {{"service", {{"name", "stash-webhook"}}}};
  if (!bundle.empty()) client["caBundle"] = encode_base64(bundle);
  return {{"metadata", {{"name", name}}}, {"webhooks", Json::array({{{"name", "w"}, {"clientConfig", client}}})}};
}

Json a_secret(const certs::SecretData& data) {
  return {{"metadata", {{"name", "cert"}, {"resourceVersion", "5"}}}, {"data", certs::encode_secret_data(data)}};
}

/// What a first look makes.
certs::SecretData made(const Clock& clock) {
  const auto names = certs::webhook_dns_names("stash-webhook", "stash");
  const certs::RotationPlan plan{.make_ca = true, .make_leaf = true};
  return certs::carry_out(plan, {}, names, "stash-webhook", clock.now()).value();
}

}  // namespace

TEST_CASE("without a Secret the first look makes one and publishes its CA in both configurations",
          "[controller][certificates]") {
  const FakeClock clock;
  ApiScript script;
  script.on("GET", kSecret).reply(404);
  script.on("GET", kMutating).reply(a_configuration("stash", ""));
  script.on("GET", kValidating).reply(a_configuration("stash-warnings", ""));
  script.on("POST", kSecrets).reply(Json::object());
  script.on("PATCH", kMutating).reply(Json::object());
  script.on("PATCH", kValidating).reply(Json::object());
  kube::Api api(script.config());
  const auto wait = reconcile_certificates(api, kOptions, clock);
  REQUIRE(wait);
  CHECK(*wait <= std::chrono::seconds(60));

  const auto calls = script.calls();
  certs::SecretData data;
  for (const auto& call : calls) {
    if (call.method == "POST") data = certs::data_of_secret(call.json());
  }
  CHECK(certs::inspect_secret(data).leaf_error.empty());
  for (const auto& call : calls) {
    if (call.method != "PATCH") continue;
    const Json operations = call.json();
    CHECK(operations[0] == Json({{"op", "test"}, {"path", "/webhooks/0/name"}, {"value", "w"}}));
    CHECK(operations[1]["path"] == "/webhooks/0/clientConfig/caBundle");
    CHECK(operations[1]["value"] == encode_base64(data.at("ca.crt")));
  }
}

TEST_CASE("the empty Secret of the chart is filled on the version that was seen", "[controller][certificates]") {
  const FakeClock clock;
  ApiScript script;
  script.on("GET", kSecret).reply(Json({{"metadata", {{"name", "cert"}, {"resourceVersion", "5"}}}}));
  script.on("GET", kMutating).reply(404);
  script.on("GET", kValidating).reply(404);
  script.on("PATCH", kSecret).reply(Json::object());
  kube::Api api(script.config());
  CHECK(reconcile_certificates(api, kOptions, clock));
  CHECK(script.calls().back().json()["metadata"]["resourceVersion"] == "5");
}

TEST_CASE("where all is in order a look writes nothing", "[controller][certificates]") {
  const FakeClock clock;
  const auto data = made(clock);
  ApiScript script;
  script.on("GET", kSecret).reply(a_secret(data));
  script.on("GET", kMutating).reply(a_configuration("stash", data.at("ca.crt")));
  script.on("GET", kValidating).reply(a_configuration("stash-warnings", data.at("ca.crt")));
  kube::Api api(script.config());
  CHECK(reconcile_certificates(api, kOptions, clock));
}

TEST_CASE("a bundle that somebody wiped is put back, and only there", "[controller][certificates][F56][I4]") {
  const FakeClock clock;
  const auto data = made(clock);
  ApiScript script;
  script.on("GET", kSecret).reply(a_secret(data));
  script.on("GET", kMutating).reply(a_configuration("stash", data.at("ca.crt")));
  script.on("GET", kValidating).reply(a_configuration("stash-warnings", ""));
  script.on("PATCH", kValidating).reply(Json::object());
  kube::Api api(script.config());
  CHECK(reconcile_certificates(api, kOptions, clock));
}

TEST_CASE("no CA is published that could not be stored", "[controller][certificates][F57][I1]") {
  const FakeClock clock;
  ApiScript script;
  script.on("GET", kSecret).reply(404);
  script.on("GET", kMutating).reply(a_configuration("stash", ""));
  script.on("GET", kValidating).reply(404);
  script.on("POST", kSecrets).reply(409);
  kube::Api api(script.config());
  CHECK_FALSE(reconcile_certificates(api, kOptions, clock));
}
