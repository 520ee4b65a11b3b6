#include "api/backend_place.h"

#include <catch2/catch.hpp>

#include "unit/support/objects.h"

namespace {

using namespace stash;
using namespace stash::api;

Backend s3(std::string endpoint, std::string bucket, std::string prefix) {
  Backend backend{.storage_secret_name = "one"};
  backend.s3 = S3Backend{std::move(endpoint), std::move(bucket), std::move(prefix), ""};
  return backend;
}
Backend rest(std::string url) {
  Backend backend{.storage_secret_name = "one"};
  backend.rest = RestBackend{std::move(url)};
  return backend;
}
Backend azure(std::string secret, std::string prefix) {
  Backend backend{.storage_secret_name = std::move(secret)};
  backend.azure = BucketBackend{"box", std::move(prefix), 0};
  return backend;
}
Backend local(Json source, std::string sub_path = "") {
  Backend backend{.storage_secret_name = "one"};
  backend.local = LocalBackend{std::move(source), "/safe/data", std::move(sub_path)};
  return backend;
}
Json claim(const std::string& name) { return {{"persistentVolumeClaim", {{"claimName", name}}}}; }
Json nfs(const std::string& path) { return {{"nfs", {{"server", "files.Example"}, {"path", path}}}}; }

}  // namespace

TEST_CASE("one place is one, however it is spelt", "[api][backend_place]") {
  CHECK(place_of(s3("s3.amazonaws.com", "b", "a/c")) == place_of(s3("https://S3.amazonaws.com/", "b", "/a//c/")));
  CHECK(place_of(s3("h", "b", "b/a")) == place_of(s3("h", "b", "a")));
  CHECK(place_of(rest("http://user:pass@h:8000/r/")) == place_of(rest("https://H:8000/r")));
  CHECK(place_of(local(claim("c"), "a")) == place_of(local(claim("c"), "/a/")));
  CHECK(place_of(local(nfs("/export"), "a")) == place_of(local(nfs("/export/a"))));
  CHECK(place_of(azure("one", "p")) == place_of(azure("one", "/p/")));
}

TEST_CASE("two places are two", "[api][backend_place]") {
  CHECK(place_of(s3("h", "b", "a")) != place_of(s3("h", "b", "ab")));
  CHECK(place_of(s3("h", "b", "a")) != place_of(s3("h:9000", "b", "a")));
  CHECK(place_of(rest("http://h/r")) != place_of(rest("http://h/R")));
  CHECK(place_of(local(claim("c"), "a")) != place_of(local(claim("c"), "b")));
  CHECK(place_of(local(claim("c"))) != place_of(local(claim("d"))));
  // Another Secret may be another account.
  CHECK(place_of(azure("one", "p")) != place_of(azure("two", "p")));
}

TEST_CASE("a directory of the node and one of the pod are not shared by all pods", "[api][backend_place]") {
  CHECK(sharing_of(local({{"hostPath", {{"path", "/data"}}}})) == Sharing::node);
  CHECK(sharing_of(local({{"emptyDir", Json::object()}})) == Sharing::pod);
  CHECK(sharing_of(local(claim("c"))) == Sharing::all);
  CHECK(sharing_of(local(nfs("/export"))) == Sharing::all);
  CHECK(sharing_of(s3("h", "b", "a")) == Sharing::all);
  CHECK(sharing_of({}) == Sharing::all);
}

TEST_CASE("where looking cannot tell, nothing is said", "[api][backend_place]") {
  CHECK(place_of(local({{"hostPath", {{"path", "/data"}}}})).empty());
  CHECK(place_of(local({{"emptyDir", Json::object()}})).empty());
  CHECK(place_of({}).empty());
}
