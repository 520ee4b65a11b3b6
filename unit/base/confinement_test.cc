#include "base/confinement.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "base/process.h"
#include "unit/support/temporary_directory.h"

namespace stash {
namespace {

namespace fs = std::filesystem;

struct Places {
  test::TemporaryDirectory directory;
  fs::path volume = directory / "volume", outside = directory / "outside";

  Places() {
    fs::create_directories(volume / "below");
    fs::create_directory(outside);
    std::ofstream(outside / "file") << "of somebody else";
    fs::create_directory_symlink(outside, volume / "way");
    fs::create_symlink(outside / "file", volume / "link");
  }
  /// A shell in the volume.
  ProcessExit run(const std::string& script) const {
    ProcessSpec spec;
    spec.argv = {"sh", "-c", script};
    spec.env = {{"PATH", "/usr/bin:/bin"}};
    spec.working_directory = volume;
    spec.writable = {{volume.string(), (directory / "nowhere")}};
    return run_process(spec, [](std::string_view) {}, [] { return true; }).value_or(ProcessExit{.exit_code = 255});
  }
  bool runs(const std::string& script) const { return run(script).exit_code == 0; }
  std::string file() const {
    std::ifstream opened(outside / "file");
    return {std::istreambuf_iterator<char>(opened), {}};
  }
};

/// What it does to its process does not outlive it. Whether it returned true.
bool holds_in_a_process_of_its_own(const std::function<bool()>& condition) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(condition() ? 0 : 1);
  int status = -1;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// As a kernel before 5.13, or a container runtime that allows none of its calls.
bool forget_landlock() {
  std::array<sock_filter, 4> filter{{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                                     BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
                                     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                                     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}};
  const sock_fprog program{.len = filter.size(), .filter = filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST_CASE("a confined child writes in its directories and reads everywhere", "[base][confinement][F79][I13]") {
  const Places places;
  CHECK(places.runs(
      "echo x > new && mkdir d && ln new below/hard && mv new d/moved && ln -s . s && mkfifo p && rm d/moved"));
  CHECK(places.runs("cat link > copy && echo ignored > /dev/null"));
}

TEST_CASE("a confined child writes into a volume that is mounted within its own", "[base][confinement][I13]") {
  const Places places;
  CHECK(holds_in_a_process_of_its_own([&] {
    const std::string below = places.volume / "below";
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return true;
    return ::mount("none", below.c_str(), "tmpfs", 0, nullptr) == 0 &&
           places.runs("mkdir below/d && echo x > below/d/new && ln below/d/new below/hard");
  }));
}

TEST_CASE("where the kernel knows no Landlock the child runs all the same, and is told apart",
          "[base][confinement][I13]") {
  const Places places;
  CHECK(holds_in_a_process_of_its_own([&] {
    const bool without = forget_landlock() || !Confinement({}).possible();  // emulators know neither
    const ProcessExit exit = without ? places.run("echo x > new && echo x > link") : ProcessExit{};
    return exit.exit_code == 0 && !exit.confined && places.file() == "x\n";
  }));
}

TEST_CASE("a path for which there can be no rule confines nothing, rather than forbid what is there",
          "[base][confinement][I13]") {
  const Places places;
  fs::create_symlink("loop", places.volume / "loop");
  CHECK_FALSE(Confinement({places.volume.string(), (places.volume / "loop").string()}).possible());
}

TEST_CASE("no symbolic link leads a confined child's writes elsewhere", "[base][confinement][F44][F79][I13][I16]") {
  const Places places;
  if (!Confinement({}).possible()) return;  // an older kernel
  CHECK(places.run("true").confined);
  for (const char* script :
       {"echo x > link", ": > link", "echo x > way/file", "echo x > way/new", "mkdir way/d", "rm way/file",
        "mv way/file here", "ln below way/hard", "ln -s x way/s", "truncate -s 0 link"}) {
    CHECK_FALSE(places.runs(script));
  }
  CHECK(places.file() == "of somebody else");
  CHECK(std::distance(fs::directory_iterator(places.outside), fs::directory_iterator()) == 1);
}

}  // namespace
}  // namespace stash
