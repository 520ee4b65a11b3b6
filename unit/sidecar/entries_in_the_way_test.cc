#include "sidecar/entries_in_the_way.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "unit/support/not_root.h"
#include "unit/support/temporary_directory.h"

namespace stash::sidecar {
namespace {

namespace fs = std::filesystem;

struct Volume {
  test::TemporaryDirectory directory, outside;
  std::vector<std::string> volumes{directory.path()};

  void file(const std::string& name) const { std::ofstream(directory / name) << "x"; }
  bool has(const std::string& name) const { return fs::exists(fs::symlink_status(directory / name)); }
  bool removes(const std::string& name) const { return remove_entry(directory / name, volumes); }
};

TEST_CASE("a volume of nothing but directories has nothing in the way", "[sidecar][entries_in_the_way]") {
  const Volume volume;
  fs::create_directories(volume.directory / "lost+found/deep");
  CHECK_FALSE(hold_entries(volume.volumes));
  CHECK_FALSE(hold_entries({volume.directory / "not there"}));
  SECTION("a file is something") { volume.file("lost+found/deep/file"); }
  SECTION("a link to a directory is something") {
    fs::create_directory_symlink(volume.outside.path(), volume.directory / "link");
  }
  SECTION("a pipe is something") { REQUIRE(::mkfifo((volume.directory / "pipe").c_str(), 0600) == 0); }
  CHECK(hold_entries(volume.volumes));
}

TEST_CASE("links, pipes, devices and files of several names want an empty place", "[sidecar][entries_in_the_way]") {
  for (const char* type : {"symlink", "fifo", "dev", "chardev"}) CHECK(wants_an_empty_place({"/x", type, 1}));
  CHECK(wants_an_empty_place({"/x", "file", 2}));
  for (const char* type : {"dir", "socket", "file"}) CHECK_FALSE(wants_an_empty_place({"/x", type, 1}));
}

TEST_CASE("an entry is removed, and what it leads to stays", "[sidecar][entries_in_the_way]") {
  const Volume volume;
  fs::create_directory(volume.directory / "sub");
  volume.file("sub/file");
  fs::create_directory_symlink(volume.outside.path(), volume.directory / "sub/link");
  CHECK(has_entry(volume.directory / "sub/link", volume.volumes));
  CHECK(volume.removes("sub/file"));
  CHECK(volume.removes("sub/link"));
  CHECK_FALSE(volume.has("sub/file"));
  CHECK_FALSE(volume.has("sub/link"));
  CHECK(fs::exists(volume.outside.path()));
}

TEST_CASE("what is a directory, not there or in no volume stays", "[sidecar][entries_in_the_way]") {
  const Volume volume;
  fs::create_directory(volume.directory / "sub");
  std::ofstream(volume.outside / "file") << "x";
  for (const std::string& path :
       {volume.directory / "sub", volume.directory / "nothing", volume.directory / "no/thing", volume.directory.path(),
        volume.outside / "file",
        volume.directory / "../" + fs::path(volume.outside.path()).filename().string() + "/file"}) {
    CAPTURE(path);
    CHECK_FALSE(has_entry(path, volume.volumes));
    CHECK_FALSE(remove_entry(path, volume.volumes));
  }
  CHECK(volume.has("sub"));
  CHECK(fs::exists(volume.outside / "file"));
}

TEST_CASE("a link on the way to an entry is not followed", "[sidecar][entries_in_the_way][F44][I13]") {
  const Volume volume;
  fs::create_directory(volume.outside / "deep");
  std::ofstream(volume.outside / "deep/file") << "x";
  fs::create_directory_symlink(volume.outside.path(), volume.directory / "sub");
  CHECK_FALSE(has_entry(volume.directory / "sub/deep/file", volume.volumes));
  CHECK_FALSE(volume.removes("sub/deep/file"));
  CHECK(fs::exists(volume.outside / "deep/file"));
}

TEST_CASE("who is not root makes writable what is its own, and nothing that a link leads to",
          "[sidecar][entries_in_the_way][F44][I13]") {
  const test::TemporaryDirectory directory;
  const fs::path root = directory / "volume", outside = directory / "outside";
  for (const fs::path& made : {root, root / "closed", outside}) fs::create_directory(made);
  for (const fs::path& made : {root / "closed/file", outside / "file"}) std::ofstream(made) << "x";
  fs::create_symlink(outside / "file", root / "closed/link");
  const test::NotRoot not_root(directory.path());
  const std::vector<std::string> volumes{root};
  fs::permissions(outside / "file", fs::perms(0444));
  fs::permissions(root / "closed/file", fs::perms(01440));
  fs::permissions(root / "closed", fs::perms(0));
  fs::permissions(root, fs::perms(0555));
  const auto opens = [&](const fs::path& path) { return make_writable(path.string(), volumes); };
  const auto mode = [](const fs::path& path) { return fs::status(path).permissions(); };
  CHECK_FALSE(opens(root / "closed/file"));  // nobody gets there yet
  CHECK(opens(root));
  CHECK(opens(root / "closed"));
  CHECK(opens(root / "closed/file"));
  CHECK(mode(root) == fs::perms(0755));
  CHECK(mode(root / "closed") == fs::perms(0700));
  CHECK(mode(root / "closed/file") == fs::perms(01640));
  for (const fs::path& as_it_is : {root, root / "closed/file", root / "closed/link", root / "no", outside / "file"}) {
    CAPTURE(as_it_is);
    CHECK_FALSE(opens(as_it_is));
  }
  CHECK(mode(outside / "file") == fs::perms(0444));
}

TEST_CASE("a name that is no UTF-8 is found by what restic writes for it, if that means one entry alone",
          "[sidecar][entries_in_the_way]") {
  const Volume volume;
  fs::create_directory(volume.directory / "d\xE9");
  volume.file("d\xE9/bad\xED\xA0\x80\xF0\x9F\x98\x80\xC3");
  volume.file("d\xE9/one\xFF");
  volume.file("d\xE9/one\xFE");
  CHECK_FALSE(volume.removes("d\uFFFD/one\uFFFD"));
  CHECK(volume.removes("d\uFFFD/bad\uFFFD\uFFFD\uFFFD\U0001F600\uFFFD"));
  CHECK(std::distance(fs::directory_iterator(volume.directory / "d\xE9"), {}) == 2);
}

}  // namespace
}  // namespace stash::sidecar
