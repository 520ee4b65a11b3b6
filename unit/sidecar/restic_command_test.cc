#include "sidecar/restic_command.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "api/backup_configuration.h"

namespace stash::sidecar {
namespace {

const api::Backend kLocal{"repo-secret", api::LocalBackend{Json::object(), "/safe/data", ""}};
const StorageSecret kSecret{{"RESTIC_PASSWORD", "canary-password\n"}};
constexpr ResticVersion kOldest{0, 14, 0}, kNewer{0, 18, 1};

TEST_CASE("the password reaches restic by its environment alone, byte for byte", "[sidecar][restic_command]") {
  const auto call = restic_call(kLocal, "/safe/data", kSecret, {}, {{"PATH", "/bin"}}, kOldest);
  REQUIRE(call);
  CHECK(call->program == Arguments{"restic", "--cache-dir", "/tmp/restic-cache"});
  CHECK(call->env == Environment{{"HOME", "/tmp"},
                                 {"TMPDIR", "/tmp/restic-tmp"},
                                 {"RESTIC_REPOSITORY", "/safe/data"},
                                 {"RESTIC_PASSWORD", "canary-password\n"},
                                 {"PATH", "/bin"}});
}

TEST_CASE("no variable of the pod can give restic another repository or a command",
          "[sidecar][restic_command][F71][I16]") {
  const auto call = restic_call(kLocal, "/safe/data", kSecret, {},
                                {{"RESTIC_PASSWORD_COMMAND", "evil"},
                                 {"RESTIC_REPOSITORY", "/etc"},
                                 {"RESTIC_PASSWORD_FILE", "/etc/shadow"},
                                 {"LD_PRELOAD", "/x.so"},
                                 {"AWS_ROLE_ARN", "of s3 alone"},
                                 {"GOMAXPROCS", "1"}},
                                kOldest);
  REQUIRE(call);
  std::vector<std::string> names;
  for (const auto& [name, value] : call->env) names.push_back(name);
  CHECK(names == std::vector<std::string>{"HOME", "TMPDIR", "RESTIC_REPOSITORY", "RESTIC_PASSWORD", "GOMAXPROCS"});
}

TEST_CASE("nice and ionice wrap restic, ionice outermost", "[sidecar][restic_command]") {
  const auto call =
      restic_call(kLocal, "/safe/data", kSecret,
                  {.cache = false, .nice_adjustment = "5", .io_class = "2", .io_class_data = "7"}, {}, kOldest);
  REQUIRE(call);
  CHECK(call->program == Arguments{"ionice", "-c", "2", "-n", "7", "nice", "-n", "5", "restic", "--no-cache"});
}

TEST_CASE("a nice adjustment that is no number is refused before it becomes an argument", "[sidecar][restic_command]") {
  const auto call = restic_call(kLocal, "/safe/data", kSecret, {.nice_adjustment = "5; rm"}, {}, kOldest);
  REQUIRE_FALSE(call);
  CHECK(
      call.error().message ==
      "NICE_ADJUSTMENT is \"5; rm\", which is no number: correct runtimeSettings.container of the BackupConfiguration");
}

TEST_CASE("a Secret without a password is named, with the keys it has", "[sidecar][restic_command]") {
  const auto call = restic_call(kLocal, "/safe/data", {{"PASSWORD", "x"}}, {}, {}, kOldest);
  REQUIRE_FALSE(call);
  CHECK(call.error() ==
        Error{ErrorCode::invalid,
              "the Secret \"repo-secret\" has no key RESTIC_PASSWORD (it has PASSWORD): create it; this "
              "container sees the change within about a minute"});
  CHECK(restic_call(kLocal, "/safe/data", {}, {}, {}, kOldest).error().message.find("it is missing or has no keys") !=
        std::string::npos);
}

TEST_CASE("a cloud's identity for the pod reaches restic, unless the Repository says otherwise",
          "[sidecar][restic_command]") {
  const api::Backend s3{.storage_secret_name = "storage", .s3 = api::S3Backend{"host", "bucket", "", "eu-west-1"}};
  const auto call = restic_call(s3, "", kSecret, {.cache = false},
                                {{"AWS_ROLE_ARN", "arn"},
                                 {"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"},
                                 {"AWS_DEFAULT_REGION", "us-east-1"},
                                 {"AWS_SECRET_ACCESS_KEY", "of the pod"},
                                 {"AZURE_CLIENT_ID", "of azure alone"}},
                                kOldest);
  REQUIRE(call);
  CHECK(call->env == Environment{{"HOME", "/tmp"},
                                 {"TMPDIR", "/tmp/restic-tmp"},
                                 {"RESTIC_REPOSITORY", "s3:host/bucket"},
                                 {"RESTIC_PASSWORD", "canary-password\n"},
                                 {"AWS_DEFAULT_REGION", "eu-west-1"},
                                 {"AWS_ROLE_ARN", "arn"},
                                 {"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"}});
}

TEST_CASE("options of a backend stand before the step", "[sidecar][restic_command]") {
  const api::Backend b2{.storage_secret_name = "storage", .b2 = api::BucketBackend{"bucket", "prefix", 5}};
  StorageSecret secret = kSecret;
  secret["B2_ACCOUNT_ID"] = "id";
  secret["B2_ACCOUNT_KEY"] = "key";
  secret["CA_CERT_DATA"] = "PEM";
  const auto call = restic_call(b2, "", secret, {.cache = false, .secret_directory = "/secret"}, {}, kOldest);
  REQUIRE(call);
  CHECK(call->program ==
        Arguments{"restic", "--no-cache", "--option", "b2.connections=5", "--cacert", "/secret/CA_CERT_DATA"});
  CHECK(call->location == "b2:bucket:/prefix");
}

TEST_CASE("a repository below subPath twice, as rc.0 made it, is looked for", "[sidecar][restic_command]") {
  CHECK(local_locations({Json::object(), "/safe/data", ""}) == std::vector<std::string>{"/safe/data"});
  CHECK(local_locations({Json::object(), "/safe/data", "sub"}) ==
        std::vector<std::string>{"/safe/data", "/safe/data/sub"});
}

TEST_CASE("a backup names host, tag and excludes, and its path after --", "[sidecar][restic_command][F72][I16]") {
  const BackupRequest request{"host-0", "-odd", "stash-session=u1", {"*.tmp"}};
  CHECK(backup_arguments(request, kOldest) == Arguments{"backup", "--json", "--cleanup-cache", "--host", "host-0",
                                                        "--tag", "stash-session=u1", "--exclude", "*.tmp", "--",
                                                        "-odd"});
  const auto newer = backup_arguments(request, kNewer);
  CHECK(std::ranges::search(newer, Arguments{"--retry-lock", "1m"}).size() == 2);
}

TEST_CASE("retention becomes flags in the contract's order, negative numbers nothing", "[sidecar][restic_command]") {
  api::RetentionPolicy policy;
  policy.keep_last = 5;
  policy.keep_daily = -1;
  policy.keep_weekly = 2;
  policy.keep_tags = {"important"};
  policy.prune = true;
  policy.dry_run = true;
  CHECK(forget_arguments(policy, {}, kOldest) == Arguments{"forget", "--quiet", "--json", "--keep-last", "5",
                                                           "--keep-weekly", "2", "--keep-tag", "important", "--prune",
                                                           "--dry-run"});
  CHECK(api::keeps_something(policy));
  CHECK_FALSE(api::keeps_something({.name = "none", .keep_daily = -1, .prune = true}));
  // Our snapshots have no tags of the user's: restic would remove them all.
  CHECK_FALSE(api::keeps_something({.name = "none", .keep_tags = {"important"}, .prune = true}));
}

TEST_CASE("a retention policy can be kept to some hosts", "[sidecar][restic_command]") {
  CHECK(forget_arguments({.name = "one", .keep_last = 1}, {"host-0", "host-2"}, kOldest) ==
        Arguments{"forget", "--quiet", "--json", "--keep-last", "1", "--host", "host-0", "--host", "host-2"});
}

TEST_CASE("every period of a retention policy has its flag, and is reason enough to forget",
          "[sidecar][restic_command]") {
  api::RetentionPolicy policy;
  policy.keep_hourly = 24;
  policy.keep_daily = 7;
  policy.keep_monthly = 12;
  policy.keep_yearly = 10;
  CHECK(forget_arguments(policy, {}, kOldest) == Arguments{"forget", "--quiet", "--json", "--keep-hourly", "24",
                                                           "--keep-daily", "7", "--keep-monthly", "12", "--keep-yearly",
                                                           "10"});
  for (auto period :
       {&api::RetentionPolicy::keep_last, &api::RetentionPolicy::keep_hourly, &api::RetentionPolicy::keep_daily,
        &api::RetentionPolicy::keep_weekly, &api::RetentionPolicy::keep_monthly, &api::RetentionPolicy::keep_yearly}) {
    api::RetentionPolicy only;
    only.*period = 1;
    CHECK(api::keeps_something(only));
  }
}

TEST_CASE("restore is sparse, and tells its progress, from the versions on that can", "[sidecar][restic_command]") {
  CHECK(restore_arguments("4c1c", {"/a"}, {}, kOldest) ==
        Arguments{"restore", "--target", "/", "--include", "/a", "--", "4c1c"});
  CHECK(restore_arguments("4c1c", {}, {"b"}, kNewer) == Arguments{"restore", "--target", "/", "--json", "--sparse",
                                                                  "--exclude", "b", "--retry-lock", "1m", "--",
                                                                  "4c1c"});
}

TEST_CASE("what a restore goes on without takes no lock, which nobody would look for if it were killed",
          "[sidecar][restic_command][F4][I12]") {
  CHECK(restore_size_arguments("4c1c") ==
        Arguments{"stats", "--json", "--quiet", "--mode", "restore-size", "--no-lock", "--", "4c1c"});
}

TEST_CASE("restic is told the pod for its user, for whoever meets its lock", "[sidecar][restic_command]") {
  ResticSettings settings;
  settings.user = "uid-pod";
  const auto call = restic_call(kLocal, "/safe/data", kSecret, settings, {{"USER", "somebody"}}, kOldest);
  REQUIRE(call);
  CHECK(std::ranges::find(call->env, std::pair<std::string, std::string>{"USER", "uid-pod"}) != call->env.end());
  CHECK(std::ranges::count(call->env, "USER", &std::pair<std::string, std::string>::first) == 1);
}

TEST_CASE("there is no way to remove a living lock", "[sidecar][restic_command][F38][I12]") {
  CHECK(unlock_arguments() == Arguments{"unlock"});
}

TEST_CASE("a path as a pattern matches only itself", "[sidecar][restic_command]") {
  CHECK(literal_pattern("/a/[x]*?\\") == "/a/\\[x\\]\\*\\?\\\\");
  CHECK(literal_pattern("/source/data") == "/source/data");
}

TEST_CASE("paths are cleaned as restic does", "[sidecar][restic_command]") {
  CHECK(clean_path("/source/data/") == "/source/data");
  CHECK(clean_path("//a/./b//../c") == "/a/c");
  CHECK(clean_path("/..") == "/");
  CHECK(clean_path("/") == "/");
  CHECK_FALSE(clean_path("relative"));
  CHECK_FALSE(clean_path(""));
  CHECK_FALSE(clean_path(std::string("/a\0b", 4)));
}

TEST_CASE("restic's version is read from its first line", "[sidecar][restic_version]") {
  CHECK(parse_restic_version("restic 0.14.0 compiled with go1.19.8 on linux/amd64\n") == ResticVersion{0, 14, 0});
  CHECK(parse_restic_version("warning\nrestic 0.19.1-dev (compiled manually)") == ResticVersion{0, 19, 1});
  CHECK(parse_restic_version("restic v1.2 x") == ResticVersion{1, 2, 0});
  CHECK_FALSE(parse_restic_version("busybox 1.2.3"));
  CHECK_FALSE(parse_restic_version("restic x"));
  CHECK_FALSE(parse_restic_version(""));
  CHECK(ResticVersion{0, 14, 0}.is_supported());
  CHECK_FALSE(ResticVersion{0, 13, 9}.is_supported());
}

}  // namespace
}  // namespace stash::sidecar
