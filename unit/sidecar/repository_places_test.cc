#include "sidecar/repository_places.h"

#include <catch2/catch.hpp>

#include "sidecar/restic_command.h"
#include "unit/support/objects.h"

namespace stash::sidecar {
namespace {

TEST_CASE("a Repository's own Secret and volume are used, the usual ones for the others", "[sidecar][places]") {
  const RepositoryPlaces places{{{"gcs", "/etc/stash/repository/gcs"}}, {{"nfs", "/stash/nfs"}}};
  CHECK(secret_directory(places, "gcs", "/usual") == "/etc/stash/repository/gcs");
  CHECK(secret_directory(places, "nfs", "/usual") == "/usual");
  const api::Backend backend = test::a_repository().sub_path("sub").build().spec.backend;
  CHECK(backend_here(places, "nfs", backend).local->mount_path == "/stash/nfs");
  CHECK(backend_here(places, "nfs", backend).local->sub_path == "sub");
  CHECK(backend_here(places, "gcs", backend) == backend);
  const api::Backend cloud = test::a_repository().gcs("bucket", "").build().spec.backend;
  CHECK(backend_here(places, "nfs", cloud) == cloud);
}

TEST_CASE("places are read from a repeated flag", "[sidecar][places]") {
  CHECK(parse_places("--local-mount", {"a=/x", "b=/y=z", "a=/x"}).value() ==
        std::map<std::string, std::string>{{"a", "/x"}, {"b", "/y=z"}});
  CHECK(parse_places("--local-mount", {}).value().empty());
  for (const char* bad : {"", "=", "a", "a=", "=/x"}) {
    const auto places = parse_places("--local-mount", {bad});
    REQUIRE_FALSE(places);
    CHECK(places.error().message == "--local-mount=" + std::string(bad) + ": expected REPOSITORY=DIRECTORY");
  }
  CHECK(parse_places("--local-mount", {"a=/x", "a=/y"}).error().message ==
        "--local-mount: two directories for a: /x and /y");
}

}  // namespace
}  // namespace stash::sidecar
