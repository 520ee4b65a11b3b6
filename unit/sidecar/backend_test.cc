#include "sidecar/backend.h"

#include <algorithm>
#include <catch2/catch.hpp>

namespace stash::sidecar {
namespace {

constexpr ResticVersion kOldest{0, 14, 0}, kNewest{0, 19, 1};
const std::string kSecretDirectory = "/etc/stash/repository/secret";

StorageSecret with_password(StorageSecret secret) {
  secret["RESTIC_PASSWORD"] = "canary-password";
  return secret;
}

Result<BackendAccess> access_of(const api::Backend& backend, StorageSecret secret,
                                const ResticVersion& version = kOldest) {
  return backend_access(backend, "/safe/data", with_password(std::move(secret)), kSecretDirectory, version);
}

/// What is there beside RESTIC_PASSWORD.
Environment environment_of(const api::Backend& backend, const StorageSecret& secret,
                           const ResticVersion& version = kOldest) {
  const auto access = access_of(backend, secret, version);
  REQUIRE(access);
  REQUIRE(access->env.front() == std::pair<std::string, std::string>("RESTIC_PASSWORD", "canary-password"));
  return {access->env.begin() + 1, access->env.end()};
}

std::string error_of(const api::Backend& backend, const StorageSecret& secret, const ResticVersion& version = kOldest) {
  const auto access = access_of(backend, secret, version);
  return access ? "" : access.error().message;
}

api::Backend s3(std::string endpoint, std::string bucket, std::string prefix, std::string region = "") {
  return {.storage_secret_name = "storage",
          .s3 = api::S3Backend{std::move(endpoint), std::move(bucket), std::move(prefix), std::move(region)}};
}
api::Backend rest(std::string url) {
  return {.storage_secret_name = "storage", .rest = api::RestBackend{std::move(url)}};
}

std::string s3_repository(const std::string& endpoint, const std::string& bucket, const std::string& prefix) {
  return access_of(s3(endpoint, bucket, prefix), {})->repository;
}

const StorageSecret kAws{{"AWS_ACCESS_KEY_ID", "AKIA\n"}, {"AWS_SECRET_ACCESS_KEY", "canary"}};

TEST_CASE("a local repository is its directory", "[sidecar][backend]") {
  const auto access =
      access_of({.storage_secret_name = "storage", .local = api::LocalBackend{Json::object(), "/safe/data", ""}}, {});
  REQUIRE(access);
  CHECK(access->repository == "/safe/data");
  CHECK(access->location == "/safe/data");
  CHECK(access->flags.empty());
  CHECK(access->env == Environment{{"RESTIC_PASSWORD", "canary-password"}});
}

TEST_CASE("s3: endpoint as written, bucket and prefix as one clean path", "[sidecar][backend]") {
  CHECK(s3_repository("s3.amazonaws.com", "demo", "a/b") == "s3:s3.amazonaws.com/demo/a/b");
  CHECK(s3_repository("http://minio.demo.svc:9000", "demo", "/source/data") ==
        "s3:http://minio.demo.svc:9000/demo/source/data");
  CHECK(s3_repository("https://host/", "demo", "") == "s3:https://host/demo");
  CHECK(s3_repository("host", "demo", "//a//./b/") == "s3:host/demo/a/b");
  CHECK(s3_repository("host", "demo", "demo/a") == "s3:host/demo/a");
  CHECK(s3_repository("host", "demo", "demo/demo/a") == "s3:host/demo/demo/a");
  CHECK(s3_repository("host", "demo", "/demo/a") == "s3:host/demo/demo/a");
  CHECK(s3_repository("host", "/demo/", "a") == "s3:host/demo/a");
}

TEST_CASE("s3: keys reach restic byte for byte, and the region as a variable", "[sidecar][backend]") {
  CHECK(environment_of(s3("host", "b", "p"), kAws) ==
        Environment{{"AWS_ACCESS_KEY_ID", "AKIA\n"}, {"AWS_SECRET_ACCESS_KEY", "canary"}});
  CHECK(environment_of(s3("host", "b", "p", "eu-west-1"), {}) == Environment{{"AWS_DEFAULT_REGION", "eu-west-1"}});
  CHECK(access_of(s3("host", "b", "p"), kAws)->remarks ==
        std::vector<std::string>{
            "AWS_ACCESS_KEY_ID of the Secret \"storage\" ends in a line break, which is part of it"});
}

TEST_CASE("s3 works with the pod's role, but half of a key pair is a mistake", "[sidecar][backend]") {
  CHECK(access_of(s3("host", "b", "p"), {})->credentials.starts_with("the role of the pod's ServiceAccount or node"));
  CHECK(error_of(s3("host", "b", "p"), {{"AWS_ACCESS_KEY_ID", "AKIA"}, {"AWS_SECRET_ACCESS_KEY", ""}}) ==
        "the Secret \"storage\" has no key AWS_SECRET_ACCESS_KEY, and one of the two alone is of no use (it has "
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, RESTIC_PASSWORD): create it; this container sees the change within "
        "about a minute");
}

TEST_CASE("gcs: the key file is handed over as a path, connections as an option", "[sidecar][backend]") {
  const api::Backend gcs{.storage_secret_name = "storage", .gcs = api::BucketBackend{"demo", "/a/b", 7}};
  const StorageSecret secret{{"GOOGLE_PROJECT_ID", "p"}, {"GOOGLE_SERVICE_ACCOUNT_JSON_KEY", "{}"}};
  const auto access = access_of(gcs, secret);
  REQUIRE(access);
  CHECK(access->repository == "gs:demo://a/b");
  CHECK(access->flags == Arguments{"--option", "gs.connections=7"});
  CHECK(environment_of(gcs, secret) ==
        Environment{{"GOOGLE_PROJECT_ID", "p"},
                    {"GOOGLE_APPLICATION_CREDENTIALS", kSecretDirectory + "/GOOGLE_SERVICE_ACCOUNT_JSON_KEY"}});
  CHECK(environment_of(gcs, {}).empty());
}

TEST_CASE("azure needs a name, and a key where restic knows no identities", "[sidecar][backend]") {
  const api::Backend azure{.storage_secret_name = "storage", .azure = api::BucketBackend{"demo", "a", 3}};
  const StorageSecret secret{{"AZURE_ACCOUNT_NAME", "n"}, {"AZURE_ACCOUNT_KEY", "k"}};
  const auto access = access_of(azure, secret);
  REQUIRE(access);
  CHECK(access->repository == "azure:demo:/a");
  CHECK(access->flags == Arguments{"--option", "azure.connections=3"});
  CHECK(environment_of(azure, secret) == Environment{{"AZURE_ACCOUNT_NAME", "n"}, {"AZURE_ACCOUNT_KEY", "k"}});
  CHECK(error_of(azure, {}).starts_with("the Secret \"storage\" has no key AZURE_ACCOUNT_NAME, which the azure"));
  CHECK(error_of(azure, {{"AZURE_ACCOUNT_NAME", "n"}}).contains("no key AZURE_ACCOUNT_KEY"));
  CHECK(error_of(azure, {{"AZURE_ACCOUNT_NAME", "n"}}, kNewest).empty());
}

TEST_CASE("swift: the prefix stays as written, for a clean one is another place", "[sidecar][backend]") {
  const api::Backend swift{.storage_secret_name = "storage", .swift = api::BucketBackend{"demo", "/a//b", 9}};
  const StorageSecret v1{{"ST_AUTH", "http://x/auth/v1.0"}, {"ST_USER", "t:u"}, {"ST_KEY", "k"}};
  const auto access = access_of(swift, v1);
  REQUIRE(access);
  CHECK(access->repository == "swift:demo://a//b");
  CHECK(access->flags.empty());
  CHECK(environment_of(swift, v1) ==
        Environment{{"ST_AUTH", "http://x/auth/v1.0"}, {"ST_USER", "t:u"}, {"ST_KEY", "k"}});
}

TEST_CASE("swift takes each of its ways to log in, and names what is missing of one", "[sidecar][backend]") {
  const api::Backend swift{.storage_secret_name = "storage", .swift = api::BucketBackend{"demo", "", 0}};
  StorageSecret v3;
  Environment expected;
  for (const char* key :
       {"OS_AUTH_URL", "OS_REGION_NAME", "OS_USERNAME", "OS_PASSWORD", "OS_TENANT_ID", "OS_TENANT_NAME",
        "OS_USER_DOMAIN_NAME", "OS_PROJECT_NAME", "OS_PROJECT_DOMAIN_NAME", "OS_APPLICATION_CREDENTIAL_ID",
        "OS_APPLICATION_CREDENTIAL_NAME", "OS_APPLICATION_CREDENTIAL_SECRET", "OS_STORAGE_URL", "OS_AUTH_TOKEN"}) {
    v3[key] = std::string("value of ") + key;
    expected.emplace_back(key, v3[key]);
  }
  CHECK(environment_of(swift, v3) == expected);
  CHECK(error_of(swift, {}).contains("no key OS_AUTH_URL (nor ST_AUTH, nor OS_STORAGE_URL)"));
  CHECK(error_of(swift, {{"ST_AUTH", "x"}, {"ST_USER", "y"}}).contains("no key ST_KEY, which goes with ST_AUTH"));
  CHECK(error_of(swift, {{"OS_STORAGE_URL", "x"}}).contains("no key OS_AUTH_TOKEN"));
  CHECK(error_of(swift, {{"OS_STORAGE_URL", "x"}, {"OS_AUTH_TOKEN", "y"}}).empty());
}

TEST_CASE("b2: string, variables and connections", "[sidecar][backend]") {
  const api::Backend b2{.storage_secret_name = "storage", .b2 = api::BucketBackend{"demo", "/a/b", 5}};
  const StorageSecret secret{{"B2_ACCOUNT_ID", "id"}, {"B2_ACCOUNT_KEY", "key"}};
  const auto access = access_of(b2, secret);
  REQUIRE(access);
  CHECK(access->repository == "b2:demo://a/b");
  CHECK(access->location == "b2:demo://a/b");
  CHECK(access->flags == Arguments{"--option", "b2.connections=5"});
  CHECK(environment_of(b2, secret) == Environment{{"B2_ACCOUNT_ID", "id"}, {"B2_ACCOUNT_KEY", "key"}});
  CHECK(error_of(b2, {{"B2_ACCOUNT_ID", "id"}}).contains("no key B2_ACCOUNT_KEY, which the b2 backend needs"));
}

TEST_CASE("rest: credentials are variables where restic knows them, user info before", "[sidecar][backend]") {
  const StorageSecret secret{{"REST_SERVER_USERNAME", "us:er"}, {"REST_SERVER_PASSWORD", "p@ss/w%rd"}};
  const auto old = access_of(rest("https://host:8000/name/"), secret);
  REQUIRE(old);
  CHECK(old->repository == "rest:https://us%3Aer:p%40ss%2Fw%25rd@host:8000/name/");
  CHECK(old->location == "rest:https://host:8000/name/");
  CHECK(environment_of(rest("https://host:8000/name/"), secret).empty());

  const auto recent = access_of(rest("https://old:one@host:8000/name/"), secret, kNewest);
  REQUIRE(recent);
  CHECK(recent->repository == "rest:https://host:8000/name/");
  CHECK(environment_of(rest("https://host:8000/name/"), secret, kNewest) ==
        Environment{{"RESTIC_REST_USERNAME", "us:er"}, {"RESTIC_REST_PASSWORD", "p@ss/w%rd"}});
}

TEST_CASE("rest: the Secret replaces user info of the URL; without one it stays", "[sidecar][backend]") {
  CHECK(access_of(rest("http://old:one@host/"), {{"REST_SERVER_USERNAME", "new"}})->repository ==
        "rest:http://new@host/");
  for (const ResticVersion& version : {kOldest, kNewest}) {
    const auto kept = access_of(rest("http://old:o%3Ane@host/"), {{"REST_SERVER_PASSWORD", "alone"}}, version);
    CHECK(kept->repository == "rest:http://old:o%3Ane@host/");
    CHECK(kept->location == "rest:http://host/");
    CHECK(kept->remarks.size() == 1);
  }
}

TEST_CASE("a CA is handed over as a path for every backend", "[sidecar][backend]") {
  StorageSecret secret = kAws;
  secret["CA_CERT_DATA"] = "-----BEGIN CERTIFICATE-----";
  CHECK(access_of(s3("host", "b", "p"), secret)->flags == Arguments{"--cacert", kSecretDirectory + "/CA_CERT_DATA"});
}

TEST_CASE("of several backends the first in the contract's order is used", "[sidecar][backend]") {
  api::Backend several = rest("http://host/");
  several.b2 = api::BucketBackend{"demo", "", 0};
  several.s3 = api::S3Backend{"host", "b", "p", ""};
  CHECK(access_of(several, {})->repository == "s3:host/b/p");
  several.local = api::LocalBackend{Json::object(), "/safe/data", ""};
  CHECK(access_of(several, {})->repository == "/safe/data");
}

TEST_CASE("a Repository that no restic can use is refused by its field", "[sidecar][backend]") {
  CHECK(error_of(s3("host", "", ""), {}) ==
        "the Repository cannot be used: /spec/backend/s3/bucket is missing; set the name of the bucket");
  CHECK(error_of({}, {}).contains("names no backend"));
}

TEST_CASE("a value with a NUL is refused, for restic would see another one", "[sidecar][backend]") {
  CHECK(
      error_of(s3("host", "b", "p"), {{"AWS_ACCESS_KEY_ID", "a"}, {"AWS_SECRET_ACCESS_KEY", std::string("b\0c", 3)}}) ==
      "the key AWS_SECRET_ACCESS_KEY of the Secret \"storage\" holds a NUL byte, which no variable can: correct it");
}

TEST_CASE("no secret is in the flags or in what is shown", "[sidecar][backend][F80][I15]") {
  const StorageSecret secret{{"REST_SERVER_USERNAME", "user"}, {"REST_SERVER_PASSWORD", "canary"}};
  for (const ResticVersion& version : {kOldest, kNewest}) {
    const auto access = access_of(rest("https://user:canary@host/"), secret, version);
    REQUIRE(access);
    CHECK_FALSE(access->location.contains("canary"));
    CHECK_FALSE(access->credentials.contains("canary"));
    for (const std::string& flag : access->flags) CHECK_FALSE(flag.contains("canary"));
  }
}

TEST_CASE("secrets are known trimmed, untrimmed and percent-encoded, longest first", "[sidecar][backend]") {
  CHECK(secret_values({{"RESTIC_PASSWORD", "abcd\n"}, {"K", "x"}, {"CA_CERT_DATA", "-----BEGIN"}, {"J", "p@$s"}}, {}) ==
        std::vector<std::string>{"p%40%24s", "abcd%0A", "p%40$s", "abcd\n", "abcd", "p@$s"});
}

TEST_CASE("names of users and regions are no secrets, a key inside a JSON file is", "[sidecar][backend]") {
  const auto values = secret_values(
      {{"OS_REGION_NAME", "demo"},
       {"REST_SERVER_USERNAME", "stash"},
       {"GOOGLE_SERVICE_ACCOUNT_JSON_KEY",
        R"({"private_key": "-----BEGIN PRIVATE KEY-----\nMIIEvQ\nAbCdEf\n-----END PRIVATE KEY-----\n"})"}},
      {});
  const auto has = [&](const std::string& text) { return std::ranges::find(values, text) != values.end(); };
  CHECK_FALSE(has("demo"));
  CHECK_FALSE(has("stash"));
  CHECK(has("MIIEvQ"));
  CHECK(has("AbCdEf"));
}

TEST_CASE("user info that was written into the URL is a secret in all its forms", "[sidecar][backend]") {
  const auto values = secret_values({}, rest("http://user:p%40ss$@host/"));
  for (const char* text : {"user:p%40ss$", "p%40ss$", "p@ss$", "p%40ss%24"}) {
    INFO(text);
    CHECK(std::ranges::find(values, text) != values.end());
  }
}

}  // namespace
}  // namespace stash::sidecar
