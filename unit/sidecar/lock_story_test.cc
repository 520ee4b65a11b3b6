#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "sidecar/backup_session_run.h"
#include "unit/sidecar/story.h"

namespace stash::sidecar {
namespace {

namespace fs = std::filesystem;
using test::a_backup_session;
using test::Story;

constexpr int kNobody = 4'194'305;  // more than the kernel gives
constexpr const char* kSessions = "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessions";

/// A backup that meets a lock at its first try; none is in the way at the second.
struct LockStory : Story {
  BackupMemory memory;
  api::BackupConfiguration configuration = a_configuration_here().build();

  explicit LockStory(bool in_a_bucket = false) {
    fs::create_directory(data());
    std::ofstream(data() + "/file") << "content";
    context.restic.settings.user = "uid-pod";
    context.restic.own_host_name = "app-6f-x";
    const Json running = a_backup_session().phase("Running").host(running_here()).json();
    const std::string session = std::string(kSessions) + "/app-backup-1700000000";
    script.on("PATCH", session + "/status").always().reply(running);
    script.on("POST", "/api/v1/namespaces/demo/events").always().reply(201, Json::object());
    restic.write_secret("AWS_ACCESS_KEY_ID", "id");
    restic.write_secret("AWS_SECRET_ACCESS_KEY", "key");
    const auto repository = a_checked_repository_here().with([in_a_bucket](api::Repository& it) {
      if (!in_a_bucket) return;
      it.spec.backend.local.reset();
      it.spec.backend.s3 = api::S3Backend{"http://s3:9000", "bucket", "x", ""};
    });
    script.on("GET", kRepositoryPath).reply(repository.json());
    script.on("PATCH", std::string(kRepositoryPath) + "/status").reply(a_repository_here().json());
  }

  std::string locks() const { return repository_directory() + "/locks"; }
  /// As restic names them: by the hash of their content.
  std::string lock_file(const std::string& beginning) {
    fs::create_directories(locks());
    const std::string path = locks() + "/" + beginning + std::string(56, '0');
    std::ofstream(path) << "sealed";
    return path;
  }
  void meets_lock_of(int pid, const std::string& host, const std::string& user) {
    meets_locks({"40b9a799"}, pid, host, user);
  }
  /// One after the other, a try each.
  void meets_locks(const std::vector<std::string>& ids, int pid, const std::string& host, const std::string& user) {
    restic.on("cat", {}).on("snapshots", {.output = "[]\n"});
    for (const std::string& id : ids) {
      restic.on("unlock", {});
      restic.on("backup", {.exit_code = 1,
                           .standard_error = fmt::format(
                               "unable to create lock in backend: repository is already locked by PID {} on {} by {} "
                               "(UID 0, GID 0)\nlock was created at 2026-11-23 12:53:03 (1.2s ago)\nstorage ID {}\n",
                               pid, host, user, id)});
    }
    restic.on("backup", {.output = test::summary_line()})
        .on("forget", {.output = "[]\n"})
        .on("stats", {.output = "{\"total_size\":1}\n"});
  }
  /// What `list locks` says at each of so many meetings.
  void lists(const std::string& output, int times = 1) {
    for (int i = 0; i < times; ++i) restic.on("list", {.output = output});
  }
  /// The session says which pods are gone.
  void knows_of_lost(const Json& pods) {
    Json session = a_backup_session().json();
    session["status"]["lostPods"] = pods;
    script.on("GET", kSessions).always().reply(Json{{"items", {session}}});
  }
  void run(bool resume = false) {
    const Json pending = a_backup_session().stamped().json();
    const NextSession next{"app-backup-1700000000", "uid-app-backup-1700000000", *host_entry(pending, "host-0"),
                           resume};
    stays(configuration);
    REQUIRE(run_backup_session(context, memory, configuration, pending, next, "host-0"));
    CHECK(string_at(test::result_in(script.calls()), {"phase"}) == "Succeeded");
  }
  bool unlocked() const {
    const auto names = restic.subcommands();
    return std::ranges::find(names, "unlock") != names.end();
  }
};

TEST_CASE("the lock of a pod that is gone is removed, and no other", "[sidecar][lock_story][F27][F38][I12]") {
  LockStory story;
  const std::string dead = story.lock_file("40b9a799"), living = story.lock_file("51c0b8aa");
  story.meets_lock_of(12, "app-6f-gone", "");
  story.knows_of_lost(Json::array({{{"podName", "app-6f-gone"}, {"podUID", "uid-gone"}}}));
  story.run();
  CHECK_FALSE(fs::exists(dead));
  CHECK(fs::exists(living));
  CHECK_FALSE(story.unlocked());
}

TEST_CASE("a lock of which nobody knows that its pod is gone is waited for", "[sidecar][lock_story][F38][I12]") {
  LockStory story;
  const std::string lock = story.lock_file("40b9a799");
  story.meets_lock_of(12, "app-6f-living", "uid-living");
  story.knows_of_lost(Json::array({{{"podName", "app-6f-gone"}, {"podUID", "uid-gone"}}}));
  story.run();
  CHECK(fs::exists(lock));
}

TEST_CASE("a numbered pod takes no lock for its own because of its host name", "[sidecar][lock_story][F31][I12]") {
  // web-0 of another namespace or cluster, which shares the repository, is alive and not to be seen from here.
  LockStory story;
  story.context.pod.name = "web-0";
  story.context.restic.own_host_name = "web-0";
  story.configuration.spec.target->ref.kind = "StatefulSet";
  const std::string lock = story.lock_file("40b9a799");
  SECTION("nor because its predecessor is gone") {
    story.meets_lock_of(12, "web-0", "root");
    story.knows_of_lost(Json::array({{{"podUID", "uid-gone"}}}));
    story.run();
    CHECK(fs::exists(lock));
    CHECK_FALSE(story.unlocked());
  }
  SECTION("unless the lock names that predecessor") {
    story.meets_lock_of(12, "web-0", "uid-gone");
    story.knows_of_lost(Json::array({{{"podUID", "uid-gone"}}}));
    story.run();
    CHECK_FALSE(fs::exists(lock));
    CHECK_FALSE(story.unlocked());
  }
  SECTION("or this very pod") {
    story.meets_lock_of(12, "web-0", "uid-pod");
    story.run();
    CHECK_FALSE(fs::exists(lock));
  }
}

TEST_CASE("a lock of this pod from before its container was restarted is removed, whoever has its process number now",
          "[sidecar][lock_story][F3][F32][I12]") {
  LockStory story;
  const std::string lock = story.lock_file("40b9a799");
  story.meets_lock_of(::getpid(), "app-6f-x", "");  // alive, but not restic
  story.run();
  CHECK_FALSE(fs::exists(lock));
  CHECK_FALSE(story.unlocked());
}

TEST_CASE("a container that goes on with what one began that was killed removes that one's lock, and no other",
          "[sidecar][lock_story][F3][F28][I12]") {
  // The backup itself is not in its way. Another host, the last one, would wait for it.
  LockStory story;
  const std::string own = story.lock_file("40b9a799"), living = story.lock_file("51c0b8aa");
  const auto id = [](const std::string& path) { return fs::path(path).filename().string(); };
  const auto lock_of = [](const char* host) {
    return fmt::format(
        R"({{"time":"2026-11-23T12:53:03Z","exclusive":false,"hostname":"{}","username":"","pid":999999}})", host);
  };
  story.restic.on("cat", {})
      .on("list", {.output = id(own) + "\n" + id(living) + "\n"})
      .on("cat", {.output = lock_of("app-6f-x")})
      .on("cat", {.output = lock_of("app-6f-living")})
      .on("snapshots", {.output = "[]\n"})
      .on("backup", {.output = test::summary_line()})
      .on("forget", {.output = "[]\n"})
      .on("stats", {.output = "{\"total_size\":1}\n"});
  story.run(true);
  CHECK_FALSE(fs::exists(own));
  CHECK(fs::exists(living));
  CHECK_FALSE(story.unlocked());
}

TEST_CASE("a lock that has gone since it was listed is not waited for", "[sidecar][lock_story][F28][I6]") {
  LockStory story;
  const std::string own = story.lock_file("51c0b8aa"), gone = "40b9a799" + std::string(56, '0');
  const std::string waiting =
      "for n in 1 2 3; do echo \"Load(<lock/40b9a79900>, 0, 0) returned error, retrying after ${n}s: open /locks/" +
      gone + ": no such file or directory\" >&2; done; exec sleep 600";
  story.restic.on("cat", {})
      .on("list", {.output = gone + "\n" + fs::path(own).filename().string() + "\n"})
      .on("cat", {.before = waiting})
      .on("cat", {.output = R"({"time":"2026-11-23T12:53:03Z","hostname":"app-6f-x","username":"","pid":999999})"})
      .on("snapshots", {.output = "[]\n"})
      .on("backup", {.output = test::summary_line()})
      .on("forget", {.output = "[]\n"})
      .on("stats", {.output = "{\"total_size\":1}\n"});
  story.run(true);
  CHECK_FALSE(fs::exists(own));
}

/// What a person's download looks like to the sidecar beside it.
class LivingRestic {
 public:
  LivingRestic() {
    std::array<int, 2> named{};
    REQUIRE(::pipe(named.data()) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_NAME, "restic");
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::close(named[0]);
      ::close(named[1]);
      while (true) ::pause();
    }
    ::close(named[1]);
    char nothing = 0;
    while (::read(named[0], &nothing, 1) < 0) continue;  // its end comes when it has its name
    ::close(named[0]);
  }
  ~LivingRestic() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  LivingRestic(const LivingRestic&) = delete;
  LivingRestic& operator=(const LivingRestic&) = delete;
  int pid() const { return pid_; }
  /// It stays a zombie, as one whose parent was killed does below a PID 1 that waits for nobody.
  void die() const {
    ::kill(pid_, SIGKILL);
    siginfo_t how{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &how, WEXITED | WNOWAIT);
  }

 private:
  pid_t pid_ = -1;
};

TEST_CASE("the lock of a download that a person runs in this container stays as long as its restic lives",
          "[sidecar][lock_story][F38][I12]") {
  LockStory story;
  const LivingRestic restic;
  const std::string lock = story.lock_file("40b9a799");
  const std::string user = GENERATE(as<std::string>{}, "uid-pod", "");  // a restic built with cgo tells no user
  SECTION("while it lives") {
    story.knows_of_lost(Json::array());
    story.context.restic.patience.lock_unchanged = std::chrono::hours(1);
    story.meets_lock_of(restic.pid(), "app-6f-x", user);
    story.run();
    CHECK(fs::exists(lock));
  }
  SECTION("not once it has ended") {
    restic.die();
    story.meets_lock_of(restic.pid(), "app-6f-x", user);
    story.run();
    CHECK_FALSE(fs::exists(lock));
  }
  CHECK_FALSE(story.unlocked());
}

TEST_CASE("while nobody knows that this node's clock is right, no lock is taken for old",
          "[sidecar][lock_story][F52][I12]") {
  using std::chrono::seconds;
  LockStory story;
  story.knows_of_lost(Json::array());
  story.meets_locks({"40b9a799", "40b9a799"}, 12, "elsewhere", "");
  bool right = false;
  SECTION("the API server tells no time") { story.script.clock_ahead(std::nullopt); }
  SECTION("this clock is ahead") { story.script.clock_ahead(seconds(-150)); }
  SECTION("this clock is behind") { story.script.clock_ahead(seconds(40 * 60)); }
  SECTION("a small difference does not matter") {
    right = true;
    story.script.clock_ahead(seconds(90));
  }
  story.lists("", 2);
  story.run();
  CHECK(story.unlocked() == right);
}

TEST_CASE("a lock is taken for old only when it has been the same for longer than a living restic leaves it",
          "[sidecar][lock_story][F52][I12]") {
  // Its owner's clock may be an hour behind: by its time the lock is stale from the beginning.
  LockStory story;
  story.knows_of_lost(Json::array());
  auto& patience = story.context.restic.patience;
  bool unlocked = false;
  SECTION("it has not been met for long") {
    patience.lock_unchanged = std::chrono::hours(1);
    story.meets_locks({"40b9a799", "40b9a799", "40b9a799"}, 12, "elsewhere", "");
  }
  SECTION("it is another one each time") {
    patience.lock_unchanged = std::chrono::milliseconds(1);
    patience.lock_retry = std::chrono::milliseconds(5);
    story.meets_locks({"40b9a799", "51c0b8aa", "62d1c9bb"}, 12, "elsewhere", "");
  }
  SECTION("it is the same still, though another one was named between") {
    unlocked = true;
    patience.lock_unchanged = std::chrono::milliseconds(10);
    patience.lock_retry = std::chrono::milliseconds(5);
    story.meets_locks({"40b9a799", "51c0b8aa", "40b9a799"}, 12, "elsewhere", "");
  }
  story.lists("", 3);
  story.run();
  CHECK(story.unlocked() == unlocked);
}

TEST_CASE("who has removed a stale lock goes on at once, but waits for one that restic leaves",
          "[sidecar][lock_story][F38][I6]") {
  using std::chrono::seconds;
  LockStory story;
  story.knows_of_lost(Json::array());
  auto& patience = story.context.restic.patience;
  patience.lock_unchanged = seconds(0);
  std::vector<std::string> met{"40b9a799"};
  seconds at_least{0}, at_most{20};
  SECTION("gone") { patience.lock_retry = seconds(30); }
  SECTION("left") {
    met.push_back("40b9a799");
    patience.lock_retry = at_least = seconds(1);
  }
  story.meets_locks(met, 12, "elsewhere", "");
  story.lists("", static_cast<int>(met.size()));
  const auto begun = std::chrono::steady_clock::now();
  story.run();
  const auto took = std::chrono::steady_clock::now() - begun;
  CHECK(story.unlocked());
  CHECK(took >= at_least);
  CHECK(took < at_most);
}

std::string id_of(const std::string& beginning) { return beginning + std::string(56, '0'); }
/// As restic prints it.
std::string lock_of(const std::string& host, std::chrono::minutes old) {
  return fmt::format(R"({{"time":"{}","exclusive":false,"hostname":"{}","username":"","pid":{}}})",
                     format_time(system_clock().now() - old), host, kNobody);
}

TEST_CASE("a lock that is old by its owner's clock alone does not go with one that is dead",
          "[sidecar][lock_story][F38][F52][I12]") {
  // restic names one lock, and unlock takes all that are stale.
  using std::chrono::minutes;
  LockStory story(true);
  story.context.restic.patience.lock_unchanged = std::chrono::hours(1);
  story.meets_locks({"40b9a799"}, kNobody, "app-6f-x", "");
  story.lists(id_of("40b9a799") + "\n" + id_of("51c0b8aa") + "\n");
  story.restic.on("cat", {.output = lock_of("app-6f-x", minutes(1))});
  bool unlocked = false;
  SECTION("met for the first time") { story.restic.on("cat", {.output = lock_of("elsewhere", minutes(40))}); }
  SECTION("one that is fresh stays anyhow") {
    unlocked = true;
    story.restic.on("cat", {.output = lock_of("elsewhere", minutes(4))});
  }
  SECTION("one that is gone by then is nobody's") {
    unlocked = true;
    story.restic.on("cat", {.exit_code = 1});
  }
  story.run();
  CHECK(story.unlocked() == unlocked);
}

TEST_CASE("what an earlier container left in a store goes only where nothing else goes with it",
          "[sidecar][lock_story][F28][F52][I12]") {
  using std::chrono::minutes;
  LockStory story(true);
  story.context.restic.patience.lock_unchanged = std::chrono::hours(1);
  story.restic.on("cat", {});
  minutes age{4};
  bool unlocked = false, there = true;
  SECTION("nobody knows whether this node's clock is right") { story.script.clock_ahead(std::nullopt); }
  SECTION("this node's clock is wrong") { story.script.clock_ahead(minutes(-40)); }
  SECTION("another lock is old by its owner's clock") { age = minutes(40); }
  SECTION("there is none of this pod's") { there = false; }
  SECTION("else") { unlocked = true; }
  story.lists((there ? id_of("40b9a799") + "\n" : "") + id_of("51c0b8aa") + "\n");
  if (there) story.restic.on("cat", {.output = lock_of("app-6f-x", minutes(1))});
  story.restic.on("cat", {.output = lock_of("elsewhere", age)})
      .on("unlock", {})
      .on("snapshots", {.output = "[]\n"})
      .on("backup", {.output = test::summary_line()})
      .on("forget", {.output = "[]\n"})
      .on("stats", {.output = "{\"total_size\":1}\n"});
  story.run(true);
  CHECK(story.unlocked() == unlocked);
}

TEST_CASE("where one lock cannot be removed, restic's own rule is used for the pod's own name only",
          "[sidecar][lock_story][F38][I12]") {
  LockStory story;
  story.lock_file("40b9a799");
  story.lock_file("40b9a7991");  // two that begin alike stand for a place that is no directory of ours
  story.meets_lock_of(kNobody, "app-6f-x", "");
  story.lists("");
  story.context.restic.patience.lock_unchanged = std::chrono::hours(1);  // that process is not there: proof enough
  story.run();
  CHECK(story.unlocked());
}

}  // namespace
}  // namespace stash::sidecar
