#include "kube/request.h"

#include <catch2/catch.hpp>

#include "unit/support/api_script.h"

using namespace stash;
using kube::error_of;
using kube::request_path;
using std::chrono::seconds;

TEST_CASE("a kind's path names its group, namespace, plural, name and subresource", "[kube][request]") {
  CHECK(request_path(api::kPods, {"demo", "web-0"}) == "/api/v1/namespaces/demo/pods/web-0");
  CHECK(request_path(api::kPods, {"", ""}) == "/api/v1/pods");
  CHECK(request_path(api::kNamespaces, {"", "demo"}) == "/api/v1/namespaces/demo");
  CHECK(request_path(api::kNamespaces, {"ignored", "demo"}) == "/api/v1/namespaces/demo");
  CHECK(request_path(api::kBackupSessions, {"demo", "s"}, "status") ==
        "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessions/s/status");
  CHECK(request_path(api::kMutatingWebhookConfigurations, {"", "stash"}) ==
        "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/stash");
}

TEST_CASE("every part of a path is percent-encoded, so that no name can leave it", "[kube][request]") {
  CHECK(request_path(api::kRoles, {"demo", "system:a/b?c"}) ==
        "/apis/rbac.authorization.k8s.io/v1/namespaces/demo/roles/system%3Aa%2Fb%3Fc");
  CHECK(request_path(api::kPods, {"demo", ""}, "", {{"labelSelector", "a=b,c in (d)"}, {"limit", "5"}}) ==
        "/api/v1/namespaces/demo/pods?labelSelector=a%3Db%2Cc%20in%20%28d%29&limit=5");
  CHECK(request_path(api::kPods, {"d\xc3\xa9", "x"}) == "/api/v1/namespaces/d%C3%A9/pods/x");
}

TEST_CASE("each HTTP status becomes the code of its reaction", "[kube][request]") {
  const std::tuple<int, const char*, ErrorCode> table[] = {
      {400, "BadRequest", ErrorCode::invalid},
      {401, "Unauthorized", ErrorCode::denied},
      {403, "Forbidden", ErrorCode::denied},
      {404, "NotFound", ErrorCode::not_found},
      {405, "MethodNotAllowed", ErrorCode::invalid},
      {408, "", ErrorCode::timed_out},
      {409, "AlreadyExists", ErrorCode::already_exists},
      {409, "Conflict", ErrorCode::conflict},
      {409, "", ErrorCode::conflict},
      {410, "Expired", ErrorCode::expired},
      {410, "Gone", ErrorCode::expired},
      {413, "RequestEntityTooLarge", ErrorCode::invalid},
      {415, "", ErrorCode::invalid},
      {422, "Invalid", ErrorCode::invalid},
      {429, "TooManyRequests", ErrorCode::throttled},
      {500, "InternalError", ErrorCode::unreachable},
      {502, "", ErrorCode::unreachable},
      {503, "ServiceUnavailable", ErrorCode::unreachable},
      {504, "Timeout", ErrorCode::timed_out},
      {302, "", ErrorCode::invalid},
  };
  for (const auto& [status, reason, code] : table) {
    INFO(status << " " << reason);
    CHECK(error_of(status, "", dump_json(status_of(status, reason, "text")), "get").code == code);
  }
}

TEST_CASE("an error carries what was done and the server's own sentence", "[kube][request]") {
  const std::string body = dump_json(status_of(404, "NotFound", "pods \"x\" not found"));
  CHECK(error_of(404, "", body, "get Pod demo/x") ==
        Error{ErrorCode::not_found, "get Pod demo/x: pods \"x\" not found"});
}

TEST_CASE("a body that is no Status is shown in one short line", "[kube][request]") {
  CHECK(error_of(502, "", "<html>\nBad Gateway\n", "get").message == "get: HTTP 502: <html> Bad Gateway");
  CHECK(error_of(500, "", "", "get").message == "get: HTTP 500");
  CHECK(error_of(500, "", "[1]", "get").message == "get: HTTP 500: [1]");
  CHECK(error_of(500, "", std::string(10'000, 'x'), "get").message.size() < 300);
}

TEST_CASE("Retry-After is waited for, within 1 to 60 seconds, and junk is a second", "[kube][request][F18][I20]") {
  const std::pair<const char*, seconds> table[] = {{"5", seconds(5)},
                                                   {"0", seconds(1)},
                                                   {"3600", seconds(60)},
                                                   {"99999999999999999999", seconds(60)},
                                                   {"", seconds(1)},
                                                   {"-5", seconds(1)},
                                                   {"soon", seconds(1)},
                                                   {"5 s", seconds(1)},
                                                   {"1.5", seconds(1)},
                                                   {" 5", seconds(1)},
                                                   {"Wed, 21 Oct 2026 07:28:00 GMT", seconds(1)}};
  for (const auto& [header, wait] : table) {
    INFO(header);
    CHECK(error_of(429, header, "", "get").retry_after == wait);
  }
}

TEST_CASE("503 is a reason to wait when it says for how long, else to back off", "[kube][request][F18][I20]") {
  CHECK(error_of(503, "7", "", "get").code == ErrorCode::throttled);
  CHECK(error_of(503, "7", "", "get").retry_after == seconds(7));
  CHECK(error_of(503, "", "", "get").code == ErrorCode::unreachable);
  CHECK(error_of(503, "", "", "get").retry_after.has_value() == false);
}

TEST_CASE("a Status may say how long to wait where the header does not", "[kube][request]") {
  Json status = status_of(500, "ServerTimeout", "try again");
  status["details"] = {{"retryAfterSeconds", 3}};
  CHECK(error_of(500, "", dump_json(status), "get") == Error{ErrorCode::throttled, "get: try again", seconds(3)});
}
