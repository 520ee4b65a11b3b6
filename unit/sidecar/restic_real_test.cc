#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <thread>

#include "base/confinement.h"
#include "sidecar/incomplete_retention.h"
#include "sidecar/restic.h"
#include "sidecar/restore_patterns.h"
#include "sidecar/restore_rules.h"
#include "unit/support/fake_restic.h"
#include "unit/support/not_root.h"

/// The driver against the restic that is installed (or $STASH_TEST_RESTIC): what unit/support/fake_restic.h replays
/// must be what this one says.
namespace stash::sidecar {
namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;

std::string installed_restic() {
  const char* named = std::getenv("STASH_TEST_RESTIC");
  return named == nullptr ? "restic" : named;
}

struct RealRepository {
  TemporaryDirectory directory;
  ResticPlace place;
  api::Backend backend{"repo-secret", api::LocalBackend{Json::object(), directory / "repo", ""}};
  ResticVersion version;
  bool installed = false;

  RealRepository() {
    const char* path = std::getenv("PATH");
    place.settings.program = installed_restic();
    place.settings.temp_directory = directory / "tmp";
    place.settings.cache_directory = directory / "cache";
    place.settings.home = directory / "home";
    place.settings.secret_directory = directory / "secret";
    place.inherited = {{"PATH", path == nullptr ? "/usr/bin:/bin" : path}};
    place.patience.tick = std::chrono::milliseconds(20);
    place.patience.lock = std::chrono::milliseconds(10);
    place.patience.lock_retry = std::chrono::milliseconds(1);
    for (const char* name : {"home", "secret"}) fs::create_directory(directory / name);
    password("correct horse");
    fs::create_directories(data());
    const auto probed = probe_restic(place);
    installed = probed.has_value();
    if (installed) {
      version = *probed;
    } else {
      WARN("no restic to test against: " << probed.error().sentence);
    }
  }
  /// It may lie where only root may look.
  void let_anybody_run_it() {
    if (place.settings.program.find('/') == std::string::npos) return;
    fs::copy_file(place.settings.program, directory / "restic");
    place.settings.program = directory / "restic";
  }
  std::string data() const { return directory / "volume/data"; }
  void password(const std::string& text) const {
    std::ofstream(directory / "secret/RESTIC_PASSWORD", std::ios::binary) << text;
  }
  Restic open(GoOn go_on = [] { return true; }, Restic::Access access = Restic::Access::write) const {
    auto restic = Restic::open(backend, access, version, place, std::move(go_on));
    REQUIRE(restic);
    return *std::move(restic);
  }
  /// As `restic init` does, with a password that is cheap to check (e2e/stash_e2e/quick_key.py): every command does.
  void make() const {
    const fs::path location = directory / "repo";
    fs::copy(QUICK_REPOSITORY, location, fs::copy_options::recursive);
    for (const char* part : {"data", "index", "locks", "snapshots"}) fs::create_directory(location / part);
  }
  BackupRequest request(const std::string& tag = "stash-session=u1") const { return {"host-0", data(), tag, {}}; }
};

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Everything that a restore must bring back, one line a file.
std::map<std::string, std::string> picture_of(const std::string& root) {
  std::map<std::string, std::string> picture;
  const auto look = [&](const fs::path& path) {
    struct stat info{};
    REQUIRE(::lstat(path.c_str(), &info) == 0);
    std::string line = fmt::format("{:o} {}:{} {}", info.st_mode, info.st_uid, info.st_gid, info.st_nlink);
    if (!S_ISLNK(info.st_mode)) line += fmt::format(" {}.{}", info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    if (S_ISLNK(info.st_mode)) line += " -> " + fs::read_symlink(path).string();
    if (S_ISREG(info.st_mode)) line += fmt::format(" {} {:x}", info.st_size, std::hash<std::string>{}(read(path)));
    picture[path.string()] = line;
  };
  look(root);
  for (const auto& entry : fs::recursive_directory_iterator(root)) look(entry.path());
  return picture;
}

std::vector<std::string> differences(const std::map<std::string, std::string>& before,
                                     const std::map<std::string, std::string>& after) {
  std::vector<std::string> lines;
  for (const auto& [path, line] : before) {
    const auto now = after.find(path);
    if (now == after.end()) {
      lines.push_back(path + " is gone");
    } else if (now->second != line) {
      lines.push_back(fmt::format("{}: {} instead of {}", path, now->second, line));
    }
  }
  for (const auto& [path, line] : after) {
    if (!before.contains(path)) lines.push_back(path + " is new");
  }
  return lines;
}

void set_time(const std::string& path, std::int64_t seconds, std::int64_t nanoseconds) {
  const timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
}

/// Of every sort that a volume may hold.
void fill(const std::string& root) {
  fs::create_directories(root + "/deep/er");
  fs::create_directory(root + "/empty directory");
  std::ofstream(root + "/text") << "hello\n";
  std::ofstream(root + "/empty");
  std::ofstream(root + "/deep/er/binary", std::ios::binary) << std::string("\0\xff\x7f\r\n", 5);
  std::ofstream(root + "/[x]*?\\") << "glob";
  std::ofstream(root + "/line\nbreak") << "odd";
  std::ofstream(root + "/bad\xff\xfe") << "no UTF-8";
  fs::create_hard_link(root + "/bad\xff\xfe", root + "/also bad\xff");
  std::ofstream(root + "/none");
  fs::create_hard_link(root + "/none", root + "/none either");
  std::ofstream(root + "/-rf") << "dash";
  std::ofstream(root + "/sparse");
  fs::resize_file(root + "/sparse", 8 << 20);
  fs::create_symlink("nowhere", root + "/link");
  fs::create_hard_link(root + "/text", root + "/hard");
  fs::create_hard_link(root + "/text", root + "/deep/er/hard");
  REQUIRE(::mkfifo((root + "/fifo").c_str(), 0640) == 0);
  fs::permissions(root + "/text", fs::perms(04751));
  fs::permissions(root + "/empty directory", fs::perms(01777));
  if (::geteuid() == 0) {
    REQUIRE(::lchown((root + "/empty").c_str(), 1234, 5678) == 0);
    REQUIRE(::lchown((root + "/link").c_str(), 99, 98) == 0);
  }
  fs::permissions(root + "/text", fs::perms(04751));
  set_time(root + "/text", 981173106, 123456789);
  set_time(root + "/deep/er", -86400, 0);
  set_time(root, 1000000000, 5);
}

void destroy(const std::string& root) {
  for (const auto& entry : fs::directory_iterator(root)) fs::remove_all(entry);
  fs::permissions(root, fs::perms(0700));
}

TEST_CASE("real restic: init, backup, a second one, each found by its session's tag", "[sidecar][real]") {
  RealRepository repository;
  if (!repository.installed) return;
  std::ofstream(repository.data() + "/file") << std::string(100'000, 'x');
  Restic restic = repository.open();

  REQUIRE(restic.has_repository() == false);
  REQUIRE(restic.init());
  REQUIRE(restic.has_repository() == true);
  CHECK_FALSE(restic.init());

  const auto first = restic.back_up(repository.request());
  REQUIRE(first.summary);
  CHECK_FALSE(first.failure);
  CHECK(first.summary->snapshot.size() == 8);
  CHECK(first.summary->files_total == 1);
  CHECK(first.summary->files_new == 1);
  CHECK(first.summary->bytes_total == 100'000);

  const auto second = restic.back_up(repository.request("stash-session=u2"));
  REQUIRE(second.summary);
  CHECK(second.summary->files_unmodified == 1);
  CHECK(second.summary->bytes_added < 1000);

  const auto tagged = restic.snapshots("host-0", repository.data(), "stash-session=u1");
  REQUIRE(tagged);
  REQUIRE(tagged->size() == 1);
  CHECK(tagged->front().short_id == first.summary->snapshot);
  CHECK(tagged->front().tags == std::vector<std::string>{"stash-session=u1"});
  CHECK(restic.snapshots("host-0", repository.data(), "stash-session=u3")->empty());
  CHECK(restic.snapshots("host-1", repository.data(), "stash-session=u1")->empty());
  CHECK(restic.snapshots("", "", "")->size() == 2);
  CHECK(newest(*restic.snapshots("", "", ""))->short_id == second.summary->snapshot);

  const auto dry = restic.dry_run(repository.request());
  REQUIRE(dry.summary);
  CHECK_FALSE(dry.failure);
  CHECK(dry.summary->files_total == 1);
  CHECK(restic.snapshots("", "", "")->size() == 2);

  CHECK(restic.check() == true);
  CHECK(restic.stats() == 200'000u);
  CHECK(restic.forget({.name = "one", .keep_last = 1, .prune = true}) == ForgetOutcome{1, 1});
  CHECK(restic.forget({.name = "one", .keep_last = 1, .prune = true}) == ForgetOutcome{1, 0});
}

TEST_CASE("real restic: the snapshot with a tag that is kept stays, beside what the other rules keep",
          "[sidecar][real][F52][I5][I11]") {
  RealRepository repository;
  if (!repository.installed) return;
  std::ofstream(repository.data() + "/file") << "x";
  repository.make();
  Restic restic = repository.open();
  for (const char* tag : {"stash-session=u1", "stash-session=u2"})
    REQUIRE(restic.back_up(repository.request(tag)).summary);
  CHECK(restic.forget({.keep_last = 1, .keep_tags = {"stash-session=u1"}}) == ForgetOutcome{2, 0});
  CHECK(restic.forget({.keep_tags = {"important", "stash-session=u2"}}) == ForgetOutcome{1, 1});
  CHECK(restic.snapshots("", "", "stash-session=u2")->size() == 1);
}

TEST_CASE("real restic: incomplete snapshots are found by their tag, with all that the retention goes by",
          "[sidecar][real][F42][I11]") {
  RealRepository repository;
  if (!repository.installed) return;
  std::ofstream(repository.data() + "/file") << "x";
  repository.make();
  Restic restic = repository.open();
  CHECK(restic.snapshots("", "", std::string(kIncompleteTag))->empty());
  std::vector<std::string> ids;
  for (const char* session : {"u1", "u2", "u3", "u4"})
    ids.push_back(restic.back_up(repository.request("stash-session=" + std::string(session))).summary->snapshot);
  for (const std::size_t i : {1u, 3u}) REQUIRE(restic.add_tag(ids[i], kIncompleteTag));
  CHECK(restic.snapshots("", "", std::string(kIncompleteTag))->size() == 2);
  const auto found = spare_complete(*restic.snapshots("", "", ""));
  REQUIRE(found.outdated.size() == 1);
  CHECK(found.keep_tags == std::vector<std::string>{"stash-session=u3"});
  REQUIRE(restic.remove(found.outdated));
  CHECK(restic.forget({.keep_last = 1, .keep_tags = found.keep_tags}) == ForgetOutcome{2, 1});
  CHECK(restic.snapshots("", "", "stash-session=u3")->size() == 1);
}

TEST_CASE("real restic: the failures that decide what we do next", "[sidecar][real][F35][F36][I14]") {
  RealRepository repository;
  if (!repository.installed) return;
  std::ofstream(repository.data() + "/file") << "x";
  repository.make();

  SECTION("a wrong password is not a missing repository") {
    repository.password("wrong horse");
    CHECK(repository.open().has_repository().error().cause == ResticCause::wrong_password);
  }
  SECTION("a repository without its config is damaged, not missing") {
    REQUIRE(repository.open().back_up(repository.request()).summary);
    fs::remove(repository.directory / "repo/config");
    const auto found = repository.open().has_repository();
    REQUIRE_FALSE(found);
    CHECK(found.error().cause == ResticCause::damaged);
  }
  SECTION("a missing repository is") {
    fs::remove_all(repository.directory / "repo");
    CHECK(repository.open().has_repository() == false);
  }
  SECTION("a lost pack is found by check") {
    REQUIRE(repository.open().back_up(repository.request()).summary);
    // restic looks for a missing file again and again; a truncated one is told at once.
    for (const auto& entry : fs::recursive_directory_iterator(repository.directory / "repo/index")) {
      fs::permissions(entry.path(), fs::perms(0600));
      fs::resize_file(entry.path(), 40);
    }
    CHECK(repository.open().check() == false);
  }
  SECTION("a snapshot that does not exist") { CHECK(repository.open().snapshot("deadbeef")->empty()); }
}

TEST_CASE("real restic: what an init that was killed between key and config left is made anew, with one key",
          "[sidecar][real][F9][F25][I14]") {
  RealRepository repository;
  if (!repository.installed) return;
  repository.place.patience.half_made = std::chrono::milliseconds(50);
  const fs::path location = repository.directory / "repo";
  std::ofstream(repository.data() + "/file") << "x";
  REQUIRE(repository.open().init());
  const fs::path old_key = fs::directory_iterator(location / "keys")->path();
  fs::rename(location / "config", repository.directory / "config");
  REQUIRE(repository.open().has_repository() == false);

  SECTION("when nobody goes on with it") {
    REQUIRE(repository.open().init());
    CHECK_FALSE(fs::exists(old_key));
    CHECK(std::distance(fs::directory_iterator(location / "keys"), {}) == 1);
    CHECK(repository.open().back_up(repository.request()).summary);
  }
  SECTION("not while somebody else is about to write the config") {
    repository.place.patience.half_made = std::chrono::minutes(1);
    const auto config_comes = [&] {
      std::error_code done_already;
      fs::rename(repository.directory / "config", location / "config", done_already);
      return true;
    };
    CHECK(repository.open(config_comes).init().error().cause == ResticCause::damaged);
    CHECK(fs::exists(old_key));
    CHECK(repository.open().has_repository() == true);
  }
  SECTION("nor when it is told to stop meanwhile") {
    CHECK(repository.open([] { return false; }).init().error().cause == ResticCause::interrupted);
    CHECK(fs::exists(old_key));
  }
}

TEST_CASE("real restic: unreadable files make an incomplete snapshot that names them", "[sidecar][real][F42][I5]") {
  RealRepository repository;
  if (!repository.installed) return;
  repository.let_anybody_run_it();
  const test::NotRoot not_root(repository.directory.path());
  std::ofstream(repository.data() + "/secret") << "x";
  fs::permissions(repository.data() + "/secret", fs::perms(0));
  Restic restic = repository.open();
  repository.make();
  const auto outcome = restic.back_up(repository.request());
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->cause == ResticCause::incomplete);
  CHECK(outcome.summary);
  CHECK(outcome.unreadable.count == 1);
}

TEST_CASE("real restic: a tag makes a new snapshot, which its session's tag still finds", "[sidecar][real]") {
  RealRepository repository;
  if (!repository.installed) return;
  std::ofstream(repository.data() + "/file") << "x";
  Restic restic = repository.open();
  repository.make();
  const auto made = restic.back_up(repository.request());
  REQUIRE(made.summary);
  const auto before = restic.snapshot(made.summary->snapshot);
  REQUIRE(before);
  REQUIRE(before->size() == 1);
  REQUIRE(restic.add_tag(made.summary->snapshot, kIncompleteTag));
  const auto found = restic.snapshots("host-0", repository.data(), before->front().tags.front());
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  CHECK(is_incomplete(found->front()));
  CHECK(found->front().id != before->front().id);
  CHECK(found->front().time == before->front().time);
  CHECK(restic.snapshot(made.summary->snapshot)->empty());
}

TEST_CASE("real restic: an interrupted backup leaves no lock behind", "[sidecar][real][F9][I12]") {
  RealRepository repository;
  if (!repository.installed) return;
  {
    std::ofstream big(repository.data() + "/big", std::ios::binary);
    std::uint64_t state = 1;
    for (int i = 0; i < 8'000'000; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      big.write(reinterpret_cast<const char*>(&state), sizeof state);
    }
  }
  repository.make();
  const auto locked = [&] { return !fs::is_empty(repository.directory / "repo/locks"); };
  // Once data comes in: restic does not clean up a lock that it is still making.
  const auto uploading = [&] {
    for (const auto& entry : fs::recursive_directory_iterator(repository.directory / "repo/data")) {
      if (entry.is_regular_file()) return true;
    }
    return false;
  };
  Restic restic = repository.open([&] { return !uploading(); });
  const auto outcome = restic.back_up(repository.request());
  if (!outcome.failure) {
    WARN("the backup was too quick to be interrupted");
    return;
  }
  CHECK(outcome.failure->cause == ResticCause::interrupted);
  CHECK_FALSE(locked());
}

TEST_CASE("real restic: a restore brings everything back, and nothing above it changes", "[sidecar][real]") {
  RealRepository repository;
  if (!repository.installed) return;
  fill(repository.data());
  Restic restic = repository.open();
  repository.make();
  const auto made = restic.back_up(repository.request());
  REQUIRE(made.summary);
  const auto before = picture_of(repository.data());

  destroy(repository.data());
  std::ofstream(repository.data() + "/newer") << "stays";
  const std::string parent = repository.directory / "volume";
  fs::permissions(parent, fs::perms(0711));
  set_time(parent, 1'400'000'000, 7);
  const RestoreItem item{"", "host-0", repository.data(), {}, {}};
  const auto found = restic.snapshots("host-0", repository.data(), "");
  REQUIRE(found);
  const auto snapshot = choose_snapshot(item, *found, {});
  REQUIRE(snapshot);
  REQUIRE(restic.restore(snapshot->id, patterns_for(item, *snapshot)->include, {}, restored_paths(item, *snapshot),
                         {repository.data()}));

  CHECK(read(repository.data() + "/newer") == "stays");
  fs::remove(repository.data() + "/newer");
  set_time(repository.data(), 1000000000, 5);  // removing the file changed it
  const auto after = picture_of(repository.data());
  CHECK(after == before);
  struct stat above{};
  REQUIRE(::stat(parent.c_str(), &above) == 0);
  CHECK((above.st_mode & 07777) == 0711);
  CHECK(above.st_mtim.tv_sec == 1'400'000'000);
  CHECK(above.st_mtim.tv_nsec == 7);
}

TEST_CASE("real restic: a restore into several volumes, one within another, mends what stands there",
          "[sidecar][real][F44][I13]") {
  RealRepository repository;
  if (!repository.installed) return;
  const std::string first = repository.data(), second = repository.directory / "volume/second";
  fs::create_directory(second);
  fill(first);
  fill(second);
  Restic restic = repository.open();
  repository.make();
  BackupRequest request = repository.request();
  request.path = repository.directory / "volume";
  const auto made = restic.back_up(request);
  REQUIRE(made.summary);
  const auto before = std::pair(picture_of(first), picture_of(second));

  for (const std::string& root : {first, second}) {
    std::ofstream(root + "/deep/er/binary") << std::string(10'000, 'x');
    std::ofstream(root + "/empty") << "x";
    for (const char* gone : {"/hard", "/link", "/-rf"}) fs::remove(root + gone);
    fs::permissions(root + "/text", fs::perms(0600));
    fs::create_symlink("elsewhere", root + "/link");
    fs::resize_file(root + "/sparse", 5);
  }
  const std::vector<std::string> paths{first, second};
  const auto restored = restic.restore(made.summary->snapshot, paths, {}, paths, {first, second, second + "/deep"});
  if (!restored) FAIL(restored.error().sentence);
  CHECK(picture_of(first) == before.first);
  CHECK(picture_of(second) == before.second);
}

TEST_CASE("real restic: a restore that was interrupted is complete when it is tried again, as is one of what is there",
          "[sidecar][real][F5][F44][I13]") {
  RealRepository repository;
  if (!repository.installed) return;
  const std::string data = repository.data();
  fill(data);
  for (int i = 0; i < 200; ++i) {
    const std::string name = fmt::format("{}/many-{:03}", data, i);
    std::ofstream(name) << std::string(10'000, static_cast<char>('a' + i % 20));
    fs::create_hard_link(name, name + "-hard");
    fs::create_symlink(name, name + "-link");
  }
  set_time(data, 1000000000, 5);
  repository.make();
  const auto made = repository.open().back_up(repository.request());
  REQUIRE(made.summary);
  const auto before = picture_of(data);
  const std::vector<std::string> volume{data};
  const auto restore = [&](GoOn go_on) {
    return repository.open(std::move(go_on))
        .restore(made.summary->snapshot, {literal_pattern(data)}, {}, volume, volume);
  };

  SECTION("interrupted once its first links are there") {
    destroy(data);
    const auto begun = [&] { return fs::is_symlink(fs::symlink_status(data + "/link")); };
    const auto first = restore([&] { return !begun(); });
    CHECK(begun());
    if (first) WARN("the restore was too quick to be interrupted");
  }
  SECTION("cut off between two names of a file") {
    for (int i = 100; i < 200; ++i) {
      for (const char* made_last : {"-hard", "-link"}) fs::remove(fmt::format("{}/many-{:03}{}", data, i, made_last));
    }
  }
  SECTION("when only the link in the middle of three names is there") {
    fs::remove(data + "/text");
    fs::remove(data + "/deep/er/hard");
  }
  SECTION("when names of one file have become files of their own") {
    for (const char* name : {"/hard", "/many-000-hard", "/none either", "/also bad\xff"}) {
      fs::remove(data + name);
      std::ofstream(data + name) << "of today";
    }
  }
  SECTION("when all is there") {}
  const auto again = restore([] { return true; });
  if (!again) FAIL(again.error().sentence);
  CHECK(differences(before, picture_of(data)) == std::vector<std::string>{});
}

TEST_CASE("real restic: who is not root completes a restore that was interrupted when it had set modes",
          "[sidecar][real][F5][F44][I13]") {
  RealRepository repository;
  if (!repository.installed) return;
  repository.let_anybody_run_it();
  const test::NotRoot not_root(repository.directory.path());
  const std::string data = repository.data();
  fill(data);
  fs::create_directory(data + "/closed");
  std::ofstream(data + "/closed/file") << "x";
  fs::create_symlink("file", data + "/closed/link");
  for (const char* name : {"/closed/file", "/text"}) fs::permissions(data + name, fs::perms(0444));
  for (const char* name : {"/closed", ""}) fs::permissions(data + name, fs::perms(0555));
  repository.make();
  Restic restic = repository.open();
  const auto made = restic.back_up(repository.request());
  REQUIRE(made.summary);
  const auto before = picture_of(data);
  SECTION("all is there") {}
  SECTION("what is missing too can be made") {
    fs::permissions(data + "/closed", fs::perms(0755));
    for (const char* name : {"/closed/file", "/closed/link"}) fs::remove(data + name);
    fs::permissions(data + "/closed", fs::perms(0));
  }
  const std::vector<std::string> volume{data};
  const auto again = restic.restore(made.summary->snapshot, {literal_pattern(data)}, {}, volume, volume);
  if (!again) FAIL(again.error().sentence);
  CHECK(differences(before, picture_of(data)) == std::vector<std::string>{});
  fs::permissions(data + "/closed", fs::perms(0755));  // so that it can be removed
  fs::permissions(data, fs::perms(0755));
}

TEST_CASE("real restic: what include or exclude leave alone does not give way", "[sidecar][real][F44][I13]") {
  RealRepository repository;
  if (!repository.installed) return;
  const std::string data = repository.data();
  fs::create_directory(data + "/sub");
  for (const std::string& name : {data + "/file", data + "/sub/file"}) {
    std::ofstream(name) << "backed up";
    fs::create_hard_link(name, name + " also");
    fs::create_symlink("backed up", name + " link");
  }
  Restic restic = repository.open();
  repository.make();
  const auto made = restic.back_up(repository.request());
  REQUIRE(made.summary);
  for (const std::string& name : {data + "/file", data + "/sub/file"}) {
    for (const char* of : {"", " also", " link"}) fs::remove(name + of);
    for (const char* of : {"", " also"}) std::ofstream(name + of) << "of today";
    fs::create_symlink("of today", name + " link");
  }
  const auto is = [](const std::string& name) {
    return std::tuple(read(name), read(name + " also"), fs::read_symlink(name + " link").string(),
                      fs::hard_link_count(name));
  };
  const auto backed_up = std::tuple("backed up", "backed up", "backed up", 2U);
  const auto of_today = std::tuple("of today", "of today", "of today", 1U);
  const std::vector<std::string> volume{data};
  bool decided = true;
  SECTION("include") { REQUIRE(restic.restore(made.summary->snapshot, {"sub"}, {}, volume, volume)); }
  SECTION("a class of characters") { REQUIRE(restic.restore(made.summary->snapshot, {"[s]ub"}, {}, volume, volume)); }
  SECTION("exclude") { REQUIRE(restic.restore(made.summary->snapshot, {}, {"/**/data/file*"}, volume, volume)); }
  SECTION("and where that cannot be told, nothing does") {
    decided = repository.version.replaces_entries();
    const auto restored = restic.restore(made.summary->snapshot, {}, {"/**/data/file*", "!sub"}, volume, volume);
    CHECK(restored.has_value() == decided);
    if (!restored) CHECK(restored.error().sentence.starts_with(data + "/"));
  }
  CHECK(is(data + "/file") == of_today);
  CHECK(is(data + "/sub/file") == (decided ? backed_up : of_today));
}

TEST_CASE("real restic: patterns take what we think they take", "[sidecar][real]") {
  RealRepository repository;
  if (!repository.installed) return;
  const std::string data = repository.data();
  fs::create_directories(data + "/a/b/c");
  for (const char* name : {"x", "a.txt", "a/x", "a/b.txt", "a/b/x.tmp", "a/b/c/é", "a/b/c/*", "a/b/c/\\"})
    std::ofstream(fmt::format("{}/{}", data, name)) << "x";
  Restic restic = repository.open();
  repository.make();
  const auto made = restic.back_up(repository.request());
  REQUIRE(made.summary);
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(data)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  const std::vector<std::string> volume{data};
  const auto restores_what_we_think = [&](const std::vector<std::string>& include,
                                          const std::vector<std::string>& exclude) {
    destroy(data);
    REQUIRE(restic.restore(made.summary->snapshot, include, exclude, volume, volume));
    for (const std::string& file : files) {
      CAPTURE(include, exclude, file);
      CHECK((is_taken(file, include, exclude) == Taken::yes) == fs::exists(file));
    }
  };
  for (const std::string& pattern : std::vector<std::string>{
           "x", "?", "/x", "a/**/x.tmp", "b/*", R"(\\)", "./a/b/c/", "**/c/**", data + "/a/*.txt", "[w-y]", "[^a-z]",
           "[a-c]/[b]/x*", "[é]", R"([\\])", "[!a]", literal_pattern(data + "/a/b/c/*")}) {
    restores_what_we_think({pattern}, {});
  }
  restores_what_we_think({}, {"*a*t", "data/x"});
  restores_what_we_think({}, {data + "/a/**", "nothing"});
}

TEST_CASE("real restic: a restore of more than its volumes leaves the rest as it was",
          "[sidecar][real][F79][I13][I16]") {
  RealRepository repository;
  if (!repository.installed || !Confinement({}).possible()) return;
  const std::string volume = repository.data(), outside = repository.directory / "volume/outside";
  fs::create_directory(outside);
  for (const std::string& root : {volume, outside}) std::ofstream(root + "/file") << "backed up";
  Restic restic = repository.open();
  repository.make();
  BackupRequest request = repository.request();
  request.path = repository.directory / "volume";
  const auto made = restic.back_up(request);
  REQUIRE(made.summary);
  for (const std::string& root : {volume, outside}) std::ofstream(root + "/file") << "of today";
  CHECK_FALSE(restic.restore(made.summary->snapshot, {volume, outside}, {}, {volume, outside}, {volume}));
  CHECK(read(volume + "/file") == "backed up");
  CHECK(read(outside + "/file") == "of today");
}

TEST_CASE("real restic: include and exclude of a rule choose files", "[sidecar][real]") {
  RealRepository repository;
  if (!repository.installed) return;
  std::ofstream(repository.data() + "/a.txt") << "a";
  std::ofstream(repository.data() + "/b.tmp") << "b";
  Restic restic = repository.open();
  repository.make();
  const auto made = restic.back_up(repository.request());
  REQUIRE(made.summary);
  destroy(repository.data());
  const std::vector<std::string> volume{repository.data()};
  SECTION("include") { REQUIRE(restic.restore(made.summary->snapshot, {"*.txt"}, {}, volume, volume)); }
  SECTION("exclude") { REQUIRE(restic.restore(made.summary->snapshot, {}, {"*.tmp"}, volume, volume)); }
  CHECK(fs::exists(repository.data() + "/a.txt"));
  CHECK_FALSE(fs::exists(repository.data() + "/b.tmp"));
}

TEST_CASE("real restic: a rule with patterns leaves the other paths of a snapshot as they are",
          "[sidecar][real][F72][I13]") {
  RealRepository repository;
  if (!repository.installed) return;
  const std::string data = repository.data(), logs = repository.directory / "volume/[l]o*gs";
  fs::create_directories(logs);
  const std::vector<std::string> files{data + "/a.conf", data + "/b.tmp", logs + "/a.conf", logs + "/b.tmp"};
  for (const std::string& file : files) std::ofstream(file) << "backed up";
  Restic restic = repository.open();
  repository.make();
  BackupRequest both = repository.request();
  both.path = repository.directory / "volume";
  const auto made = restic.back_up(both);
  REQUIRE(made.summary);
  for (const std::string& file : files) std::ofstream(file) << "of today";
  // As a snapshot that was made by hand of two paths.
  Snapshot snapshot{made.summary->snapshot, made.summary->snapshot, "", "host-0", {data, logs}, {}};
  RestoreItem item{"", "host-0", data, {}, {}};
  SECTION("exclude") { item.exclude = {"*.tmp"}; }
  SECTION("include") { item.include = {"*.conf"}; }
  const auto patterns = patterns_for(item, snapshot);
  REQUIRE(patterns);
  REQUIRE(restic.restore(snapshot.id, patterns->include, patterns->exclude, {data}, {data, logs}, {.chooses = true}));
  CHECK(read(data + "/a.conf") == "backed up");
  CHECK(read(data + "/b.tmp") == "of today");
  CHECK(read(logs + "/a.conf") == "of today");
  CHECK(read(logs + "/b.tmp") == "of today");
}

TEST_CASE("real restic: an include that matches nothing is told, and one of what is there already is none",
          "[sidecar][real][F44][I13]") {
  RealRepository repository;
  if (!repository.installed) return;
  const std::string data = repository.data();
  fs::create_directories(data + "/uploads/empty");
  std::ofstream(data + "/uploads/file") << "x";
  Restic restic = repository.open();
  repository.make();
  const auto made = restic.back_up(repository.request());
  REQUIRE(made.summary);
  const std::vector<std::string> volume{data};
  const auto restore = [&](const std::string& include) {
    return restic.restore(made.summary->snapshot, {include}, {}, volume, volume, {.chooses = true});
  };
  const bool there_already = GENERATE(false, true);
  CAPTURE(there_already);
  if (!there_already) destroy(data);
  for (const std::string include : {"/uploads/*", "[v-z]ploads", "[^u]ploads"}) {
    CAPTURE(include);
    const auto nothing = restore(include);
    REQUIRE(nothing);
    CHECK_FALSE(*nothing);
  }
  for (const std::string& include : {data + "/uploads/file", std::string("empty"), data + "/uploads/*",
                                     std::string("uploads"), std::string("[a-u]ploads")}) {
    CAPTURE(include);
    const auto something = restore(include);
    REQUIRE(something);
    CHECK(*something);
  }
}

/// A directory tree as in a container: the root is read-only, and a subPath of a volume is mounted in it.
class ReadOnlyRoot {
 public:
  ReadOnlyRoot() {
    if (::geteuid() != 0 || ::mount("tmpfs", path().c_str(), "tmpfs", 0, "size=1m") != 0) return;
    const std::string whole = directory_ / "whole", part = whole + "/part";
    fs::create_directories(volume());
    fs::create_directory(whole);
    if (::mount("tmpfs", whole.c_str(), "tmpfs", 0, "size=16m") != 0) return;
    fs::create_directory(part);
    mounted_ = ::mount(part.c_str(), volume().c_str(), nullptr, MS_BIND, nullptr) == 0;
    ::umount2(whole.c_str(), MNT_DETACH);
  }
  ~ReadOnlyRoot() {
    ::umount2(volume().c_str(), MNT_DETACH);
    ::umount2(path().c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  const std::string& path() const { return directory_.path(); }
  std::string volume() const { return directory_ / "source/data"; }
  bool make_read_only() const {
    return ::mount("tmpfs", path().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) == 0;
  }

 private:
  TemporaryDirectory directory_;
  bool mounted_ = false;
};

TEST_CASE("real restic: a restore works below a read-only root", "[sidecar][real]") {
  RealRepository repository;
  if (!repository.installed) return;
  const ReadOnlyRoot root;
  if (!root.mounted()) {
    WARN("no right to mount; the recorded output stands in for this");
    return;
  }
  std::ofstream(root.volume() + "/file") << "x";
  Restic restic = repository.open();
  repository.make();
  const auto made = restic.back_up({"host-0", root.volume(), "", {}});
  REQUIRE(made.summary);
  destroy(root.volume());
  // Otherwise restic finds nothing to change above the volume.
  set_time(root.path() + "/source", 1'400'000'000, 7);
  REQUIRE(root.make_read_only());
  const std::vector<std::string> volume{root.volume()}, above{root.path() + "/source"};
  CHECK(restic.restore(made.summary->snapshot, volume, {}, volume, volume));
  CHECK(read(root.volume() + "/file") == "x");
  CHECK_FALSE(restic.restore(made.summary->snapshot, above, {}, above, volume));
}

TEST_CASE("a repository that this user cannot write to is told at once", "[sidecar][real]") {
  RealRepository repository;
  if (!repository.installed || ::geteuid() == 0) return;
  fs::create_directory(repository.directory / "repo");
  fs::permissions(repository.directory / "repo", fs::perms(0500));
  const auto opened = Restic::open(repository.backend, Restic::Access::write, repository.version, repository.place,
                                   [] { return true; });
  REQUIRE_FALSE(opened);
  CHECK(opened.error().cause == ResticCause::permission_denied);
}

}  // namespace
}  // namespace stash::sidecar
