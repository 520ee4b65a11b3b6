#include "webhook/service.h"

#include <catch2/catch.hpp>

#include "certs/authority.h"
#include "certs/secret.h"
#include "unit/support/objects.h"
#include "unit/support/review.h"
#include "unit/support/workload.h"

using namespace stash;
using namespace stash::test;
using namespace stash::webhook;

namespace {

struct Fixture {
  Index index;
  Certificate certificate;
  bool synced = true;
  std::vector<Right> asked;
  Json asked_for;
  Result<std::vector<bool>> rights = std::vector<bool>{};
  Metrics counted;
  Service service{{.image = "stash:test", .opt_in = true, .allowed_host_paths = {"/data"}},
                  index,
                  certificate,
                  [this] { return synced; },
                  [this](const Json& user_info, const std::vector<Right>& wanted) {
                    asked_for = user_info;
                    asked = wanted;
                    return rights;
                  },
                  counted};
  Routes admission = service.admission_routes();
  Routes authorization = service.authorization_routes();
  Routes health = service.health_routes([] { return ServerStats{.connections = 3, .threads = 4, .shed = 5}; });

  Fixture() {
    const Json ns = {{"metadata", {{"labels", {{"stash.appscode.com/injection", "enabled"}}}}}};
    const Json configuration = a_backup_configuration().json();
    const Json repository = a_repository().json();
    index.change(api::kNamespaces, {"", "demo"}, &ns);
    index.change(api::kBackupConfigurations, {"demo", "app-backup"}, &configuration);
    index.change(api::kRepositories, {"demo", "repo"}, &repository);
    index.set_complete();
  }
  Reply mutate(const std::string& body) { return admission.at("POST /mutate")(body); }
  Json authorize(const Json& object) {
    const auto body = a_review("stash.appscode.com", string_at(object, {"kind"}), object).dump();
    return parse_json(authorization.at("POST /authorize")(body).body).value()["response"];
  }
  std::string metrics() { return health.at("GET /metrics")("").body; }
};

Json a_secret() {
  const TimePoint now = *parse_time("2026-11-23T12:00:00Z");
  const auto ca = certs::make_ca("test", now, certs::kCaLifetime).value();
  const auto leaf = certs::make_leaf(ca, {"localhost"}, now, std::chrono::hours(1)).value();
  return {{"data", certs::encode_secret_data({{"tls.crt", leaf.certificate_pem}, {"tls.key", leaf.key_pem}})}};
}

const std::string kReview = a_review("apps", "Deployment", a_deployment()).dump();

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a review of a named workload is answered with a patch and counted", "[webhook][service]") {
  Fixture f;
  const Reply reply = f.mutate(kReview);
  CHECK(reply.status == 200);
  CHECK(reply.content_type == "application/json");
  const Json answer = parse_json(reply.body).value();
  CHECK(string_at(answer, {"response", "uid"}) == "705ab4f5-6393-11e8-b7cc-42010a800002");
  CHECK_FALSE(patch_of(answer).empty());
  CHECK(contains(f.metrics(), R"(stash_webhook_requests_total{outcome="patched",path="/mutate",reason="injected"} 1)"));
}

TEST_CASE("the same review twice has the same answer", "[webhook][service][F62][I2]") {
  Fixture f;
  CHECK(f.mutate(kReview).body == f.mutate(kReview).body);
}

TEST_CASE("a workload that comes near the limit of its size is answered as any other", "[webhook][service]") {
  Fixture f;
  Json configuration = a_backup_configuration().json();
  configuration["metadata"]["annotations"]["note"] = std::string(240'000, 'x');
  f.index.change(api::kBackupConfigurations, {"demo", "app-backup"}, &configuration);
  const Json answer = parse_json(f.mutate(kReview).body).value();
  CHECK(string_at(answer, {"response", "uid"}) == "705ab4f5-6393-11e8-b7cc-42010a800002");
  CHECK_FALSE(patch_of(answer).empty());
}

TEST_CASE("a malformed review is a 400 and counted", "[webhook][service][F64][I17]") {
  Fixture f;
  CHECK(f.mutate("{").status == 400);
  CHECK(contains(f.metrics(),
                 R"(stash_webhook_requests_total{outcome="malformed",path="/mutate",reason="malformed"} 1)"));
}

TEST_CASE("an unsynced webhook admits unchanged", "[webhook][service][F1][I1]") {
  Fixture f;
  f.synced = false;
  const Json answer = parse_json(f.mutate(kReview).body).value();
  CHECK(bool_at(answer, {"response", "allowed"}));
  CHECK(patch_of(answer).empty());
  CHECK(array_at(answer, {"response", "warnings"}).size() == 1);
  CHECK(contains(f.metrics(), R"(reason="not_synced"} 1)"));
}

TEST_CASE("our own kinds are answered with warnings", "[webhook][service]") {
  Fixture f;
  const Json object = a_backup_configuration().schedule("never").json();
  const Reply reply =
      f.admission.at("POST /warn")(a_review("stash.appscode.com", "BackupConfiguration", object).dump());
  CHECK(contains(reply.body, "spec.schedule"));
}

TEST_CASE("an author who has the rights is admitted, and the API server asked for him", "[webhook][service]") {
  Fixture f;
  f.rights = std::vector{true};
  const Json response = f.authorize(a_backup_configuration().json());
  CHECK(response == Json{{"uid", "705ab4f5-6393-11e8-b7cc-42010a800002"}, {"allowed", true}});
  CHECK(f.asked == std::vector<Right>{{"patch", "apps", "deployments", "", "stash-demo", "demo"}});
  CHECK(f.asked_for == Json{{"username", "jane"}});
  CHECK(contains(f.metrics(), R"({outcome="unchanged",path="/authorize",reason="has_rights"} 1)"));
}

TEST_CASE("an author who lacks a right is refused with the reason", "[webhook][service]") {
  Fixture f;
  f.rights = std::vector{false};
  const Json response = f.authorize(a_backup_configuration().json());
  CHECK(response["allowed"] == false);
  CHECK(contains(string_at(response, {"status", "message"}), "jane may not patch deployments.apps stash-demo"));
  CHECK(contains(f.metrics(), R"({outcome="refused",path="/authorize",reason="lacks_right"} 1)"));
}

TEST_CASE("while the API server cannot be asked a write that needs a right is refused", "[webhook][service]") {
  Fixture f;
  f.rights = fail(ErrorCode::timed_out, "the API server did not answer in time");
  const Json response = f.authorize(a_backup_configuration().json());
  CHECK(response["allowed"] == false);
  CHECK(string_at(response, {"status", "message"}) ==
        "BackupConfiguration demo/app-backup: whether its author may do what it asks for could not be checked: the API "
        "server did not answer in time; try again");
  CHECK(contains(f.metrics(), R"(reason="not_checked"} 1)"));
}

TEST_CASE("a write that needs no right asks nobody, and no cache", "[webhook][service]") {
  Fixture f;
  f.synced = false;
  f.rights = fail(ErrorCode::timed_out, "x");
  CHECK(f.authorize(a_backup_configuration().no_target().json())["allowed"] == true);
  CHECK(f.authorization.at("POST /authorize")("{").status == 400);
}

TEST_CASE("readiness needs caches and a certificate, and ends when stopping", "[webhook][service]") {
  Fixture f;
  const auto ready = [&] { return f.health.at("GET /readyz")("").status; };
  CHECK(ready() == 503);
  const Json secret = a_secret();
  f.certificate.take(&secret);
  CHECK(ready() == 200);
  f.synced = false;
  CHECK(ready() == 503);
  CHECK(f.health.at("GET /readyz")("").body == "the API server has not been heard of for minutes\n");
  f.synced = true;
  f.service.set_stopping();
  CHECK(ready() == 503);
  CHECK(f.health.at("GET /healthz")("").status == 200);
}

TEST_CASE("the end of the certificate is a metric", "[webhook][service][F55][I8]") {
  Fixture f;
  CHECK(contains(f.metrics(), "stash_webhook_certificate_expiry_timestamp_seconds 0\n"));
  const Json secret = a_secret();
  f.certificate.take(&secret);
  CHECK(contains(f.metrics(), "stash_webhook_certificate_expiry_timestamp_seconds 1795438800\n"));
}

TEST_CASE("calls to the API server are counted by verb and code", "[webhook][service]") {
  Fixture f;
  f.counted.count_api_call("create", "201");
  f.counted.count_api_call("create", "201");
  CHECK(contains(f.metrics(), R"(stash_webhook_api_requests_total{code="201",verb="create"} 2)"));
}

TEST_CASE("a Secret that cannot be served leaves the last good pair", "[webhook][certificate][F56][I1]") {
  Certificate certificate;
  CHECK(certificate.current() == nullptr);
  const Json good = a_secret();
  certificate.take(&good);
  const auto pair = certificate.current();
  REQUIRE(pair);
  Json mixed = a_secret();
  mixed["data"]["tls.key"] = good["data"]["tls.key"];
  certificate.take(&mixed);
  const Json empty = {{"data", nullptr}};
  certificate.take(&empty);
  certificate.take(nullptr);
  CHECK(certificate.current() == pair);
  const Json next = a_secret();
  certificate.take(&next);
  CHECK(certificate.current() != pair);
}
