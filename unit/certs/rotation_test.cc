#include "certs/rotation.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

using namespace stash;
using namespace stash::certs;
using namespace std::chrono_literals;

namespace {

const TimePoint kNow = *parse_time("2026-11-23T12:00:00Z");
const std::vector<std::string> kNames = webhook_dns_names("stash-webhook", "stash");

std::string pem(const std::string& body) {
  return fmt::format("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", body);
}

/// As made by make_ca and make_leaf `age` ago.
CertificateFacts certificate(const std::string& id, std::chrono::nanoseconds age, std::chrono::hours lifetime) {
  CertificateFacts facts;
  facts.pem = pem(id);
  facts.fingerprint = id;
  const auto made = std::chrono::time_point_cast<TimePoint::duration>(kNow - age);
  facts.not_before = made - kBackdate;
  facts.not_after = made + lifetime;
  return facts;
}
CertificateFacts ca(const std::string& id, std::chrono::nanoseconds age) {
  CertificateFacts facts = certificate(id, age, kCaLifetime);
  facts.is_ca = true;
  return facts;
}

/// A CA and a leaf in the middle of their lives, published everywhere.
RotationWorld a_world() {
  RotationWorld world;
  world.now = kNow;
  world.wanted_dns_names = kNames;
  world.secret.cas = {ca("CA1", 24h * 100)};
  world.secret.leaf = certificate("LEAF", 24h * 10, kLeafLifetime);
  world.secret.leaf.dns_names = kNames;
  world.secret.leaf_signed_by = "CA1";
  world.published = {pem("CA1"), pem("CA1")};
  return world;
}

/// The plan without its texts and times.
struct Writes {
  bool make_ca = false, make_leaf = false;
  std::vector<std::string> forget;
  bool publish = false;
  friend bool operator==(const Writes&, const Writes&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Writes& w) {
    return out << "ca:" << w.make_ca << " leaf:" << w.make_leaf << " forget:" << w.forget.size()
               << " publish:" << w.publish;
  }
};
Writes writes_of(const RotationWorld& world) {
  const RotationPlan plan = plan_rotation(world);
  CHECK(plan.look_again_in >= 1s);
  CHECK(plan.look_again_in <= 1h);
  CHECK((plan.writes_secret() || plan.publish) == !plan.reason.empty());
  return {plan.make_ca, plan.make_leaf, plan.forget, plan.publish};
}

}  // namespace

TEST_CASE("certificates in the middle of their lives are left alone", "[certs][rotation]") {
  CHECK(writes_of(a_world()) == Writes{});
  CHECK(plan_rotation(a_world()).look_again_in == 1h);
}

TEST_CASE("an empty Secret gets a CA and a leaf, and the CA is published", "[certs][rotation]") {
  RotationWorld world = a_world();
  world.secret = {.ca_error = "absent", .leaf_error = "absent"};
  world.published = {"", ""};
  CHECK(writes_of(world) == Writes{.make_ca = true, .make_leaf = true, .publish = true});
}

TEST_CASE("with no webhook configuration there is nothing to publish", "[certs][rotation]") {
  RotationWorld world = a_world();
  world.secret = {.ca_error = "absent", .leaf_error = "absent"};
  world.published = {};
  CHECK(writes_of(world) == Writes{.make_ca = true, .make_leaf = true});
}

TEST_CASE("a leaf at two thirds of its life is replaced and its CA stays", "[certs][rotation]") {
  RotationWorld world = a_world();
  world.secret.leaf.not_before = kNow - 20 * 24h - 1min;
  world.secret.leaf.not_after = kNow + 10 * 24h;
  CHECK(writes_of(world) == Writes{.make_leaf = true});
}

TEST_CASE("a leaf that cannot be served is replaced at once", "[certs][rotation][F56][I1]") {
  RotationWorld world = a_world();
  SECTION("expired") { world.secret.leaf.not_after = kNow - 1s; }
  SECTION("not valid yet") { world.secret.leaf.not_before = kNow + 1h; }
  SECTION("other names") { world.secret.leaf.dns_names = {"elsewhere"}; }
  SECTION("a foreign CA") { world.secret.leaf_signed_by = ""; }
  SECTION("its key is another one") { world.secret.leaf_error = "tls.key is not the key of tls.crt"; }
  CHECK(writes_of(world) == Writes{.make_leaf = true});
}

TEST_CASE("names in another order are the same names", "[certs][rotation]") {
  RotationWorld world = a_world();
  std::ranges::reverse(world.secret.leaf.dns_names);
  CHECK(writes_of(world) == Writes{});
}

TEST_CASE("a CA at two thirds of its life gets a successor while its leaf goes on serving", "[certs][rotation]") {
  RotationWorld world = a_world();
  world.secret.cas = {ca("CA1", 24h * 250)};
  CHECK(writes_of(world) == Writes{.make_ca = true, .publish = true});

  INFO("both are in the Secret, only the old one is published");
  world.secret.cas = {ca("CA2", 0s), ca("CA1", 24h * 250)};
  CHECK(writes_of(world) == Writes{.publish = true});

  INFO("both are published; API servers may not have noticed yet");
  world.published = {pem("CA1") + pem("CA2"), pem("CA2") + pem("CA1")};
  CHECK(writes_of(world) == Writes{});
  CHECK(plan_rotation(world).look_again_in == kPropagation);

  INFO("they have");
  world.secret.cas.front() = ca("CA2", kPropagation);
  CHECK(writes_of(world) == Writes{.make_leaf = true});

  INFO("the new leaf was made; replicas may still serve the old one");
  world.secret.leaf = certificate("LEAF2", 0s, kLeafLifetime);
  world.secret.leaf.dns_names = kNames;
  world.secret.leaf_signed_by = "CA2";
  CHECK(writes_of(world) == Writes{});

  INFO("no longer");
  world.secret.leaf.not_before -= kPropagation;
  CHECK(writes_of(world) == Writes{.forget = {"CA1"}, .publish = true});

  INFO("done");
  world.secret.cas.pop_back();
  world.published = {pem("CA2"), pem("CA2")};
  CHECK(writes_of(world) == Writes{});
}

TEST_CASE("the leaf does not move to a CA that is not published everywhere", "[certs][rotation][F56][I1]") {
  RotationWorld world = a_world();
  world.secret.cas = {ca("CA2", 1h), ca("CA1", 24h * 250)};
  world.published = {pem("CA1") + pem("CA2"), pem("CA1")};
  CHECK(writes_of(world) == Writes{.publish = true});
}

TEST_CASE("a CA whose key is lost is replaced, and its leaf serves on meanwhile", "[certs][rotation]") {
  RotationWorld world = a_world();
  world.secret.ca_error = "ca.key is not the key of the first certificate in ca.crt";
  CHECK(writes_of(world) == Writes{.make_ca = true, .publish = true});
}

TEST_CASE("an expired CA is replaced together with its leaf, and forgotten", "[certs][rotation][F55][I1]") {
  RotationWorld world = a_world();
  world.secret.cas = {ca("CA1", 24h * 366)};
  CHECK(writes_of(world) == Writes{.make_ca = true, .make_leaf = true, .forget = {"CA1"}, .publish = true});
}

TEST_CASE("a bundle that somebody wiped or changed is published again", "[certs][rotation][F56][I4]") {
  RotationWorld world = a_world();
  SECTION("wiped") { world.published[1] = ""; }
  SECTION("another CA") { world.published[1] = pem("OTHER"); }
  SECTION("garbage") { world.published[1] = "-----BEGIN CERTIFICATE-----\nCA1"; }
  CHECK(writes_of(world) == Writes{.publish = true});
}

TEST_CASE("line ends and text around a published certificate make no difference", "[certs][rotation]") {
  RotationWorld world = a_world();
  world.published[0] = "issued by us\r\n-----BEGIN CERTIFICATE-----\r\nCA1\r\n-----END CERTIFICATE-----\r\n";
  CHECK(writes_of(world) == Writes{});
}

TEST_CASE("pem_blocks keeps the first of equal certificates and folds lines at 64", "[certs][rotation]") {
  const std::string body(70, 'A');
  const auto blocks = pem_blocks(pem(body) + "x" + pem(body) + pem("B"));
  REQUIRE(blocks.size() == 2);
  CHECK(blocks[0] == pem(fmt::format("{}\n{}", body.substr(6), body.substr(64))));
  CHECK(blocks[1] == pem("B"));
  CHECK(normalise_pem("nothing").empty());
}
