#include "certs/authority.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <catch2/catch.hpp>
#include <memory>

#include "certs/secret.h"
#include "certs/serving_pair.h"

using namespace stash;
using namespace stash::certs;
using namespace std::chrono_literals;

namespace {

const TimePoint kNow = *parse_time("2026-11-23T12:00:00Z");
const std::vector<std::string> kNames = webhook_dns_names("stash-webhook", "stash");

struct X509Free {
  void operator()(X509* x) const { X509_free(x); }
};
std::unique_ptr<X509, X509Free> parse(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  std::unique_ptr<X509, X509Free> x(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
  BIO_free(bio);
  return x;
}

/// As a TLS client would: chain to the CA, server purpose, name, time.
bool client_accepts(const std::string& leaf, const std::string& ca, const char* name, TimePoint at) {
  const auto leaf_x = parse(leaf);
  const auto ca_x = parse(ca);
  X509_STORE* store = X509_STORE_new();
  X509_STORE_add_cert(store, ca_x.get());
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, leaf_x.get(), nullptr);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set_time(parameters, std::chrono::system_clock::to_time_t(at));
  X509_VERIFY_PARAM_set1_host(parameters, name, 0);
  const bool good = X509_verify_cert(context) == 1;
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return good;
}

KeyPair a_ca() { return make_ca("stash test", kNow, kCaLifetime).value(); }

}  // namespace

TEST_CASE("a TLS client that trusts the CA accepts the leaf for each of its names", "[certs][authority]") {
  const KeyPair ca = a_ca();
  const KeyPair leaf = make_leaf(ca, kNames, kNow, kLeafLifetime).value();
  for (const std::string& name : kNames)
    CHECK(client_accepts(leaf.certificate_pem, ca.certificate_pem, name.c_str(), kNow));
  CHECK_FALSE(client_accepts(leaf.certificate_pem, ca.certificate_pem, "elsewhere.svc", kNow));
  CHECK_FALSE(client_accepts(leaf.certificate_pem, a_ca().certificate_pem, kNames[0].c_str(), kNow));
}

TEST_CASE("a leaf is accepted by clocks half an hour behind, and no longer than it lives", "[certs][authority]") {
  const KeyPair ca = a_ca();
  const KeyPair leaf = make_leaf(ca, kNames, kNow, kLeafLifetime).value();
  CHECK(client_accepts(leaf.certificate_pem, ca.certificate_pem, kNames[0].c_str(), kNow - 30min));
  CHECK_FALSE(client_accepts(leaf.certificate_pem, ca.certificate_pem, kNames[0].c_str(), kNow - 2h));
  CHECK_FALSE(client_accepts(leaf.certificate_pem, ca.certificate_pem, kNames[0].c_str(), kNow + kLeafLifetime + 1s));
}

TEST_CASE("inspect reads back what was asked for", "[certs][authority]") {
  const KeyPair ca = a_ca();
  const auto ca_facts = inspect(ca.certificate_pem).value();
  CHECK(ca_facts.is_ca);
  CHECK(ca_facts.common_name == "stash test");
  CHECK(ca_facts.not_before == kNow - kBackdate);
  CHECK(ca_facts.not_after == kNow + kCaLifetime);
  CHECK(ca_facts.fingerprint.size() == 64);

  const auto leaf_facts =
      inspect(make_leaf(ca, {"a.b.svc", "127.0.0.1"}, kNow, kLeafLifetime)->certificate_pem).value();
  CHECK_FALSE(leaf_facts.is_ca);
  CHECK(leaf_facts.dns_names == std::vector<std::string>{"a.b.svc", "127.0.0.1"});
}

TEST_CASE("two CAs of one name are different CAs", "[certs][authority]") {
  const KeyPair one = a_ca();
  const KeyPair two = a_ca();
  const KeyPair leaf = make_leaf(one, kNames, kNow, kLeafLifetime).value();
  CHECK(signed_by(leaf.certificate_pem, one.certificate_pem));
  CHECK_FALSE(signed_by(leaf.certificate_pem, two.certificate_pem));
  CHECK_FALSE(signed_by("garbage", one.certificate_pem));
  CHECK(key_belongs(one.key_pem, one.certificate_pem));
  CHECK_FALSE(key_belongs(two.key_pem, one.certificate_pem));
}

TEST_CASE("a leaf is refused for names that OpenSSL would read as something else", "[certs][authority]") {
  const KeyPair ca = a_ca();
  for (const std::string name : {"", "a,IP:10.0.0.1", "a\nb", "@section"}) {
    CHECK(make_leaf(ca, {name}, kNow, kLeafLifetime).error().code == ErrorCode::invalid);
  }
  CHECK_FALSE(make_leaf(ca, {}, kNow, kLeafLifetime));
}

TEST_CASE("a leaf cannot be made with the key of another CA", "[certs][authority]") {
  const auto leaf = make_leaf({a_ca().certificate_pem, a_ca().key_pem}, kNames, kNow, kLeafLifetime);
  CHECK(leaf.error().code == ErrorCode::invalid);
}

TEST_CASE("carrying out the first plan leaves nothing more to do", "[certs][authority]") {
  RotationWorld world{.secret = inspect_secret({}), .wanted_dns_names = kNames, .published = {""}, .now = kNow};
  CHECK_FALSE(world.secret.ca_error.empty());
  CHECK_FALSE(world.secret.leaf_error.empty());
  const RotationPlan plan = plan_rotation(world);
  const SecretData data = carry_out(plan, {{"kept", "as it is"}}, kNames, "stash", kNow).value();
  CHECK(data.at("kept") == "as it is");

  world.secret = inspect_secret(data);
  world.published = {data.at("ca.crt")};
  const RotationPlan next = plan_rotation(world);
  CHECK_FALSE(next.writes_secret());
  CHECK_FALSE(next.publish);
}

TEST_CASE("through a year of rotations a client that knows the published bundle accepts every leaf",
          "[certs][authority]") {
  RotationWorld world{.secret = {}, .wanted_dns_names = kNames, .published = {""}, .now = kNow};
  SecretData data;
  std::string served;  // what a replica serves is up to one look old
  int cas_made = 0;
  int leaves_made = 0;
  for (world.now = kNow; world.now < kNow + 24h * 400;) {
    world.secret = inspect_secret(data);
    const RotationPlan plan = plan_rotation(world);
    cas_made += plan.make_ca ? 1 : 0;
    leaves_made += plan.make_leaf ? 1 : 0;
    if (plan.writes_secret()) data = carry_out(plan, data, kNames, "stash", world.now).value();
    if (plan.publish) world.published = {data.at("ca.crt")};
    if (served.empty()) served = data.at("tls.crt");
    bool accepted = false;
    for (const std::string& ca : pem_blocks(world.published[0])) {
      accepted = accepted || client_accepts(served, ca, kNames[0].c_str(), world.now);
    }
    REQUIRE(accepted);
    served = data.at("tls.crt");
    // An hour at most is what the plan asks for; most hours are alike, so skip to keep the test quick.
    const bool quiet = !plan.writes_secret() && !plan.publish && plan.look_again_in == 1h;
    world.now += quiet ? std::chrono::seconds(6h) : plan.look_again_in;
  }
  CHECK(cas_made == 2);
  CHECK(leaves_made >= 19);
  CHECK(pem_blocks(data.at("ca.crt")).size() == 1);
}

TEST_CASE("a Secret with halves of two pairs is seen as unusable", "[certs][authority][F56][I1]") {
  RotationWorld world{.secret = {}, .wanted_dns_names = kNames, .published = {}, .now = kNow};
  world.secret = inspect_secret({});
  const SecretData one = carry_out(plan_rotation(world), {}, kNames, "stash", kNow).value();
  const SecretData two = carry_out(plan_rotation(world), {}, kNames, "stash", kNow).value();
  SecretData mixed = one;
  mixed["tls.key"] = two.at("tls.key");
  CHECK(inspect_secret(mixed).leaf_error == "tls.key is not the key of tls.crt");
  mixed = one;
  mixed["ca.key"] = two.at("ca.key");
  CHECK(inspect_secret(mixed).ca_error == "ca.key is not the key of the first certificate in ca.crt");
  mixed = one;
  mixed["tls.crt"] = "half a certi";
  CHECK(inspect_secret(mixed).leaf_error == "tls.crt holds no certificate");
}

TEST_CASE("a serving pair loads only when certificate and key fit", "[certs][serving_pair]") {
  const KeyPair ca = a_ca();
  const KeyPair leaf = make_leaf(ca, kNames, kNow, kLeafLifetime).value();
  const KeyPair other = make_leaf(ca, kNames, kNow, kLeafLifetime).value();
  CHECK(ServingPair::load(leaf.certificate_pem, leaf.key_pem).value()->facts().dns_names == kNames);
  CHECK_FALSE(ServingPair::load(leaf.certificate_pem, other.key_pem));
  CHECK_FALSE(ServingPair::load("", leaf.key_pem));
  CHECK_FALSE(ServingPair::load(leaf.certificate_pem, ""));
}

TEST_CASE("an encrypted key is refused without asking for its passphrase", "[certs][serving_pair]") {
  const std::string key =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgv\n"
      "-----END ENCRYPTED PRIVATE KEY-----\n";
  CHECK_FALSE(ServingPair::load(a_ca().certificate_pem, key));
}

TEST_CASE("Secret data goes through base64 and back, and what is none is left out", "[certs][secret]") {
  const SecretData data{{"tls.crt", "text\n"}, {"binary", std::string("\0\xff", 2)}};
  CHECK(data_of_secret({{"data", encode_secret_data(data)}}) == data);
  CHECK(data_of_secret({{"data", {{"a", 1}, {"b", "*"}, {"c", nullptr}}}}).empty());
  CHECK(data_of_secret(Json::array()).empty());
}
