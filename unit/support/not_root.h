#pragma once
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

namespace stash::test {

/// Root may do everything. While this lives, the process is nobody where it is root otherwise, and `directory` is
/// nobody's.
class NotRoot {
 public:
  explicit NotRoot(const std::filesystem::path& directory) : was_root_(::geteuid() == 0) {
    if (!was_root_) return;
    REQUIRE(::chown(directory.c_str(), kNobody, kNobody) == 0);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
      REQUIRE(::lchown(entry.path().c_str(), kNobody, kNobody) == 0);
    // The real one, too: else a program that it runs does so as a set-user-ID program does, without TMPDIR.
    REQUIRE(::setresuid(kNobody, kNobody, 0) == 0);
  }
  ~NotRoot() {
    if (was_root_ && ::setresuid(0, 0, 0) != 0) std::abort();
  }
  NotRoot(const NotRoot&) = delete;
  NotRoot& operator=(const NotRoot&) = delete;

 private:
  static constexpr uid_t kNobody = 65534;
  bool was_root_;
};

}  // namespace stash::test
