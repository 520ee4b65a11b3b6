#include "sidecar/disk_flush.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "unit/support/temporary_directory.h"

namespace stash::sidecar {
namespace {

TEST_CASE("what was written is flushed, and what does not exist needs no flush", "[sidecar][disk_flush]") {
  const test::TemporaryDirectory volume;
  std::ofstream(volume / "file") << "x";
  CHECK(flush_to_disk({volume.path(), volume / "file", volume / "nothing"}, [] {}));
}

}  // namespace
}  // namespace stash::sidecar
