#include "sidecar/work_progress.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "sidecar/restored_on_disk.h"
#include "unit/support/temporary_directory.h"

namespace stash::sidecar {
namespace {

constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();

TEST_CASE("of one path the progress is what restic says", "[sidecar][progress]") {
  WorkProgress work;
  work.step("backup /data");
  CHECK(work.now() == api::Progress{.step = "backup /data"});
  work.note(
      {.files_done = 3, .files_total = 10, .bytes_done = 50, .bytes_total = 200, .remaining = std::chrono::seconds(9)});
  CHECK(work.now() == api::Progress{"backup /data", 25, 3, 10, 50, 200, 9});
}

TEST_CASE("of two paths the first is half of it, whatever their sizes, and no time is told before the last",
          "[sidecar][progress]") {
  WorkProgress work(2);
  work.note(
      {.files_done = 1, .files_total = 2, .bytes_done = 5, .bytes_total = 10, .remaining = std::chrono::seconds(9)});
  CHECK(work.now().percent == 25);
  CHECK_FALSE(work.now().seconds_remaining);
  work.end_part(2, 10);
  CHECK(work.now() == api::Progress{"", 50, 2, 2, 10, 10, {}});
  work.note(
      {.files_done = 0, .files_total = 0, .bytes_done = 30, .bytes_total = 40, .remaining = std::chrono::seconds(9)});
  CHECK(work.now() == api::Progress{"", 87, 2, 2, 40, 50, 9});
  work.end_part(4, 40);
  CHECK(work.last() == api::Progress{"", 100, 6, 6, 50, 50, {}});
}

TEST_CASE("empty files alone are counted by their number", "[sidecar][progress]") {
  WorkProgress work;
  work.note({.files_done = 3, .files_total = 4, .bytes_done = 0, .bytes_total = 0, .remaining = {}});
  CHECK(work.now().percent == 75);
}

TEST_CASE("absurd numbers give no more than all, and no overflow", "[sidecar][progress][F41][I17]") {
  WorkProgress work;
  work.note({.files_done = kHuge, .files_total = 1, .bytes_done = kHuge, .bytes_total = 3, .remaining = {}});
  CHECK(work.now().percent == 100);
  CHECK(work.now().bytes_done == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("on the disk, what changed since the restore began is done, and what lay there is not",
          "[sidecar][progress]") {
  const test::TemporaryDirectory directory;
  std::ofstream(directory / "before") << "12345";
  // The kernel tells times of change by the second here.
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  RestoredOnDisk disk({directory.path()},
                      {.files_done = 0, .files_total = 9, .bytes_done = 0, .bytes_total = 90, .remaining = {}},
                      std::chrono::milliseconds(0));
  CHECK(disk.look()->files_done == 0);
  std::ofstream(directory / "restored") << "123";
  std::filesystem::create_directory(directory / "sub");
  std::filesystem::create_symlink("restored", directory / "sub/link");
  std::optional<ResticStatus> later;
  while (!later) later = disk.look();  // it rests between two looks
  CHECK(later == ResticStatus{.files_done = 2, .files_total = 9, .bytes_done = 3, .bytes_total = 90, .remaining = {}});
}

}  // namespace
}  // namespace stash::sidecar
