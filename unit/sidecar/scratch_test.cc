#include "sidecar/scratch.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "unit/support/fake_restic.h"

namespace stash::sidecar {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct Cache {
  test::TemporaryDirectory directory;
  fs::path packs = fs::path(directory / "cache") / "c0ffee" / "data" / "00";

  Cache() { fs::create_directories(packs); }
  std::string path() const { return directory / "cache"; }
  fs::path file(const std::string& name, std::size_t kib, std::chrono::minutes age = 0min) const {
    const fs::path path = packs / name;
    std::ofstream(path) << std::string(kib << 10, 'x');
    fs::last_write_time(path, fs::file_time_type::clock::now() - age);
    return path;
  }
};

TEST_CASE("a cache above its cap loses its oldest files until it is half of that", "[sidecar][cache][F47][I3]") {
  const Cache cache;
  const auto oldest = cache.file("oldest", 400, 30min), old = cache.file("old", 400, 20min),
             fresh = cache.file("new", 400);
  CHECK(shrink_cache(cache.path(), 1000 << 10) == 800 << 10);
  CHECK_FALSE(fs::exists(oldest));
  CHECK_FALSE(fs::exists(old));
  CHECK(fs::exists(fresh));
}

TEST_CASE("a cache within its cap, or none, is left alone", "[sidecar][cache][F47][I3]") {
  const Cache cache;
  const auto file = cache.file("one", 400);
  CHECK(shrink_cache(cache.path(), 401 << 10) == 0);
  CHECK(fs::exists(file));
  CHECK(shrink_cache(cache.directory / "nowhere", 0) == 0);
}

TEST_CASE("an emptied cache is still one to restic, and what links lead to is not touched",
          "[sidecar][cache][F47][I3]") {
  const Cache cache;
  cache.file("one", 400);
  cache.file("version", 1);
  const fs::path outside = fs::path(cache.directory / "outside");
  fs::create_directory(outside);
  std::ofstream(outside / "file") << std::string(1 << 20, 'x');
  fs::create_directory_symlink(outside, cache.packs / "link");
  CHECK(shrink_cache(cache.path(), 0) == 400 << 10);
  CHECK(fs::exists(cache.packs / "version"));
  CHECK(fs::exists(outside / "file"));
}

TEST_CASE("what a killed restic left is swept, its lasting cache is not", "[sidecar][cache][F46][F47][I3]") {
  const Cache cache;
  const auto kept = cache.file("pack", 4);
  const fs::path temporary = fs::path(cache.directory / "tmp") / "restic-temp-pack-1";
  const fs::path check = fs::path(cache.path()) / "restic-check-cache-1" / "c0ffee";
  for (const fs::path& left : {temporary, check}) fs::create_directories(left);
  std::ofstream(check / "file") << "x";
  sweep_temporary_files(cache.directory / "tmp", cache.path());
  CHECK_FALSE(fs::exists(temporary));
  CHECK_FALSE(fs::exists(check.parent_path()));
  CHECK(fs::exists(kept));
  sweep_temporary_files(cache.directory / "nowhere", cache.directory / "nowhere");
}

}  // namespace
}  // namespace stash::sidecar
