#include "api/backend_check.h"

#include <catch2/catch.hpp>

namespace stash::api {
namespace {

std::string fault_of(const Backend& backend) {
  const auto fault = backend_fault(backend);
  return fault ? to_string(*fault) : "";
}
std::string s3(std::string endpoint, std::string bucket) {
  return fault_of({.s3 = S3Backend{std::move(endpoint), std::move(bucket), "/prefix", ""}});
}
std::string rest(std::string url) { return fault_of({.rest = RestBackend{std::move(url)}}); }

TEST_CASE("each kind of backend is accepted as the examples write it", "[api][backend_check]") {
  CHECK(fault_of({.local = LocalBackend{Json::object(), "/safe/data", ""}}).empty());
  CHECK(s3("s3.amazonaws.com", "demo").empty());
  CHECK(s3("http://minio.demo.svc:9000/", "demo").empty());
  CHECK(fault_of({.gcs = BucketBackend{"demo", "/a//b", 0}}).empty());
  CHECK(fault_of({.azure = BucketBackend{"demo", "", -1}}).empty());
  CHECK(fault_of({.swift = BucketBackend{"demo", "", 0}}).empty());
  CHECK(fault_of({.b2 = BucketBackend{"demo", "", 0}}).empty());
  CHECK(rest("https://host:8000/name/").empty());
  CHECK(rest("http://user:p%40ss@[::1]:8000").empty());
}

TEST_CASE("what is missing is named by its JSON pointer", "[api][backend_check]") {
  CHECK(fault_of({}) == "/spec/backend names no backend; set one of local, s3, gcs, azure, swift, b2, rest");
  CHECK(fault_of({.local = LocalBackend{}}) ==
        "/spec/backend/local/mountPath is missing; set an absolute path, such as /safe/data");
  CHECK(fault_of({.local = LocalBackend{Json::object(), "safe", ""}}) ==
        "/spec/backend/local/mountPath must be an absolute path");
  CHECK(s3("", "demo").starts_with("/spec/backend/s3/endpoint is missing; set the host of the store"));
  CHECK(s3("host", "") == "/spec/backend/s3/bucket is missing; set the name of the bucket");
  CHECK(fault_of({.gcs = BucketBackend{}}) == "/spec/backend/gcs/bucket is missing; set the name of the bucket");
  CHECK(fault_of({.azure = BucketBackend{}}) ==
        "/spec/backend/azure/container is missing; set the name of the container");
  CHECK(fault_of({.swift = BucketBackend{}}).starts_with("/spec/backend/swift/container is missing"));
  CHECK(fault_of({.b2 = BucketBackend{}}).starts_with("/spec/backend/b2/bucket is missing"));
  CHECK(rest("").starts_with("/spec/backend/rest/url is missing"));
}

TEST_CASE("what restic would read as something else is refused", "[api][backend_check]") {
  CHECK(s3("ftp://host", "demo").starts_with("/spec/backend/s3/endpoint must be a host, or a URL"));
  CHECK(s3("https://", "demo") == "/spec/backend/s3/endpoint names no host");
  CHECK(s3("/etc", "demo") == "/spec/backend/s3/endpoint names no host");
  CHECK(s3("host", "//") == "/spec/backend/s3/bucket names no bucket");
  CHECK(fault_of({.gcs = BucketBackend{"a:/b", "", 0}}).starts_with("/spec/backend/gcs/bucket must be the name"));
  CHECK(fault_of({.b2 = BucketBackend{"a/b", "", 0}}).contains("directories belong into prefix"));
  CHECK(rest("host:8000/name") == "/spec/backend/rest/url must begin with http:// or https://");
  CHECK(rest("sftp://host") == "/spec/backend/rest/url must begin with http:// or https://");
  CHECK(rest("https:///name") == "/spec/backend/rest/url names no host");
}

TEST_CASE("control characters are refused wherever they are", "[api][backend_check]") {
  CHECK(s3("host\n", "demo").contains("/spec/backend/s3/endpoint holds a line break"));
  CHECK(s3("host", std::string("de\0mo", 5)).contains("/spec/backend/s3/bucket holds"));
  CHECK(fault_of({.gcs = BucketBackend{"demo", "a\nb", 0}}).contains("/spec/backend/gcs/prefix holds"));
  CHECK(rest("http://host/\t").contains("/spec/backend/rest/url holds"));
}

TEST_CASE("credentials in an endpoint are not repeated", "[api][backend_check]") {
  const std::string fault = s3("https://key:canary@host", "demo");
  CHECK(fault.starts_with("/spec/backend/s3/endpoint holds credentials"));
  CHECK_FALSE(fault.contains("canary"));
}

TEST_CASE("further backends and credentials in a URL are worth a warning", "[api][backend_check]") {
  CHECK(backend_warnings({.rest = RestBackend{"https://host/"}}).empty());
  const auto open = backend_warnings({.rest = RestBackend{"https://user:canary@host/"}});
  REQUIRE(open.size() == 1);
  CHECK(open[0].starts_with("/spec/backend/rest/url holds credentials"));
  CHECK_FALSE(open[0].contains("canary"));
  CHECK(backend_warnings({.local = LocalBackend{}, .s3 = S3Backend{}, .b2 = BucketBackend{}}) ==
        std::vector<std::string>{"/spec/backend/s3 is ignored, for local comes before it; remove one of the two",
                                 "/spec/backend/b2 is ignored, for local comes before it; remove one of the two"});
}

TEST_CASE("a URL is split where clients split it", "[api][backend_check]") {
  const auto parts = [](std::string_view url) {
    const UrlParts split = split_url(url);
    return split.scheme + "|" + split.user_info + "|" + split.rest;
  };
  CHECK(parts("https://u:p@h:1/x@y") == "https|u:p|h:1/x@y");
  CHECK(parts("https://u:p@ss@h/") == "https|u:p@ss|h/");
  CHECK(parts("h:1") == "||h:1");
  CHECK(parts("") == "||");
}

}  // namespace
}  // namespace stash::api
