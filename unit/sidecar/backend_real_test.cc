#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "api/codec.h"
#include "base/json.h"
#include "sidecar/restic.h"
#include "sidecar/restore_rules.h"
#include "unit/support/temporary_directory.h"

/// The driver against a backend that e2e/backends has started. Hidden: each case is run by name, with
///   STASH_TEST_RESTIC   the restic to use
///   STASH_TEST_BACKEND  a directory with repository.json (a Repository) and secret/ (its storage Secret as files)
namespace stash::sidecar {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using std::chrono::steady_clock;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  INFO("run e2e/backends, which sets " << name);
  REQUIRE(value != nullptr);
  return value;
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// As a pod would have it: no cache of others, nothing of our environment but PATH.
struct Pod {
  test::TemporaryDirectory directory;
  ResticPlace place;
  api::Backend backend;
  ResticVersion version;

  Pod() {
    const fs::path given = variable("STASH_TEST_BACKEND");
    const auto json = parse_json(read(given / "repository.json"));
    REQUIRE(json);
    const auto repository = api::decode<api::Repository>(*json);
    REQUIRE(repository);
    backend = repository->spec.backend;
    place.settings.program = variable("STASH_TEST_RESTIC");
    place.settings.temp_directory = directory / "tmp";
    place.settings.cache_directory = directory / "cache";
    place.settings.home = directory / "home";
    place.settings.secret_directory = given / "secret";
    place.inherited = {{"PATH", variable("PATH")}};
    place.patience.tick = std::chrono::milliseconds(20);
    // Shorter than a pod's, but longer than restic takes here to open a repository.
    place.patience.contact = seconds(4);
    place.patience.silence = seconds(12);
    for (const std::string& path : {data(), place.settings.home}) fs::create_directories(path);
    const auto probed = probe_restic(place);
    REQUIRE(probed);
    version = *probed;
  }
  std::string data() const { return directory / "volume/data"; }
  Restic open() const {
    auto restic = Restic::open(backend, Restic::Access::write, version, place, [] { return true; });
    if (!restic) FAIL(restic.error().sentence);
    return *std::move(restic);
  }
  BackupRequest request(const std::string& tag) const { return {"host-0", data(), tag, {}}; }
};

/// A failure of the first contact, which must come soon and with a cause.
ResticFailure failure_of_contact(const Pod& pod) {
  const auto start = steady_clock::now();
  const auto found = pod.open().has_repository();
  CHECK(steady_clock::now() - start < seconds(30));
  if (found) FAIL("a repository was looked for with success: " << *found);
  WARN(found.error().sentence);
  return found.error();
}

TEST_CASE("backend: init, two backups, tags, check, stats, forget with prune, restore", "[.][server]") {
  const Pod pod;
  const std::string big(3'000'000, 'x');
  std::ofstream(pod.data() + "/file") << big;
  std::ofstream(pod.data() + "/[odd] name\n") << "odd";
  Restic restic = pod.open();

  REQUIRE(restic.has_repository() == false);
  const auto made = restic.init();
  if (!made) FAIL(made.error().sentence);
  REQUIRE(restic.has_repository() == true);
  CHECK_FALSE(restic.init());

  const auto first = restic.back_up(pod.request("stash-session=u1"));
  if (first.failure) FAIL(first.failure->sentence);
  REQUIRE(first.summary);
  CHECK(first.summary->files_new == 2);
  CHECK(first.summary->bytes_total == big.size() + 3);
  std::ofstream(pod.data() + "/later") << "later";
  const auto second = restic.back_up(pod.request("stash-session=u2"));
  REQUIRE(second.summary);
  CHECK(second.summary->files_new == 1);
  CHECK(second.summary->files_unmodified == 2);

  const auto tagged = restic.snapshots("host-0", pod.data(), "stash-session=u1");
  REQUIRE(tagged);
  REQUIRE(tagged->size() == 1);
  CHECK(tagged->front().short_id == first.summary->snapshot);
  CHECK(restic.snapshots("host-0", pod.data(), "stash-session=u3")->empty());

  CHECK(restic.check() == true);
  CHECK(restic.stats() == 2 * (big.size() + 3) + 5);
  CHECK(restic.forget({.name = "one", .keep_last = 1, .prune = true}) == ForgetOutcome{1, 1});
  CHECK(restic.check() == true);

  fs::remove_all(pod.data());
  fs::create_directories(pod.data());
  const RestoreItem item{"", "host-0", pod.data(), {}, {}};
  const auto found = restic.snapshots("host-0", pod.data(), "");
  REQUIRE(found);
  const auto snapshot = choose_snapshot(item, *found, {});
  REQUIRE(snapshot);
  CHECK(snapshot->short_id == second.summary->snapshot);
  const auto restored = restic.restore(snapshot->id, patterns_for(item, *snapshot)->include, {},
                                       restored_paths(item, *snapshot), {pod.data()});
  if (!restored) FAIL(restored.error().sentence);
  CHECK(read(pod.data() + "/file") == big);
  CHECK(read(pod.data() + "/[odd] name\n") == "odd");
  CHECK(read(pod.data() + "/later") == "later");
}

TEST_CASE("backend: there is no repository", "[.][server]") { CHECK(Pod().open().has_repository() == false); }

TEST_CASE("backend: the repository's password is another one", "[.][server]") {
  CHECK(failure_of_contact(Pod()).cause == ResticCause::wrong_password);
}

TEST_CASE("backend: the server refuses the credentials", "[.][server]") {
  const ResticFailure failure = failure_of_contact(Pod());
  CHECK(failure.cause == ResticCause::wrong_credentials);
  CHECK(failure.sentence.contains("of the storage Secret \"storage\""));
}

TEST_CASE("backend: restic was built without it", "[.][server]") {
  const ResticFailure failure = failure_of_contact(Pod());
  CHECK(failure.cause == ResticCause::no_backend);
  CHECK(failure.sentence.contains("use an image with another restic"));
}

TEST_CASE("backend: nothing listens there", "[.][server]") {
  CHECK(failure_of_contact(Pod()).cause == ResticCause::unreachable);
}

TEST_CASE("backend: the server's authority is unknown", "[.][server]") {
  const ResticFailure failure = failure_of_contact(Pod());
  CHECK(failure.cause == ResticCause::untrusted);
  CHECK(failure.sentence.contains("CA_CERT_DATA of the storage Secret \"storage\""));
}

}  // namespace
}  // namespace stash::sidecar
