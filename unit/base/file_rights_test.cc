#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/process.h"
#include "unit/support/temporary_directory.h"

using namespace stash;
namespace fs = std::filesystem;

namespace {

using Names = std::vector<std::string>;

/// As our sidecar that is root, for this thread and its children: all files, and nothing more.
bool may_read_all_files_only() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return false;
  const auto kept = sets[0].permitted & CAP_TO_MASK(CAP_DAC_OVERRIDE);
  sets = {};
  sets[0].permitted = sets[0].effective = kept;
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::syscall(SYS_capset, &header, sets.data()) == 0;
}

bool opens(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

/// What a neighbour of the same rights can open of a shell whose file has that mode, while it runs.
Names opened_by_a_neighbour(mode_t mode) {
  const test::TemporaryDirectory directory;
  const std::string program = directory / "sh";
  fs::copy_file("/bin/sh", program);
  REQUIRE(::chmod(program.c_str(), mode) == 0);
  const ProcessSpec spec{.argv = {program, "-c", "echo $$; sleep 60; :"},
                         .env = {{"PATH", "/usr/bin:/bin"}},
                         .tick = std::chrono::milliseconds(10)};
  bool looked = false;
  Names opened{"nothing was tried"};
  const auto look = [&](std::string_view pid) {
    looked = true;
    opened.clear();
    for (const char* file : {"environ", "mem", "root/etc/passwd"}) {
      if (opens("/proc/" + std::string(pid) + "/" + file)) opened.emplace_back(file);
    }
  };
  // Such rights belong to a thread, and cannot be had back.
  std::thread([&] {
    if (!may_read_all_files_only()) return;
    if (!run_process(spec, look, [&] { return !looked; })) opened.emplace_back("it did not run");
  }).join();
  return opened;
}

}  // namespace

TEST_CASE("nobody of the same user can look into a program that cannot be read, root neither",
          "[base][process][F78][I15]") {
  CHECK(opened_by_a_neighbour(0755) == Names{"environ", "mem", "root/etc/passwd"});
  CHECK(opened_by_a_neighbour(0111).empty());
}
