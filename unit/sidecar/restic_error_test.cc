#include "sidecar/restic_error.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "unit/support/fake_restic.h"

namespace stash::sidecar {
namespace {

ResticCause cause(int code, std::string_view text) { return explain(code, text, {"/safe/data", "", ""}, {}).cause; }

TEST_CASE("restic's failures are told apart, by words before 0.17 and by exit codes since", "[sidecar][restic_error]") {
  CHECK(cause(1, test::kNoRepository) == ResticCause::no_repository);
  CHECK(cause(10, "Fatal: repository does not exist: unable to open config file: stat /x") ==
        ResticCause::no_repository);
  CHECK(cause(1, test::kWrongPassword) == ResticCause::wrong_password);
  CHECK(cause(12, "Fatal: wrong password or no key found") == ResticCause::wrong_password);
  CHECK(cause(1, test::kLocked) == ResticCause::locked);
  CHECK(cause(11, "") == ResticCause::locked);
  CHECK(cause(3, test::kUnreadable) == ResticCause::incomplete);
  CHECK(cause(1, "Fatal: config or key b312 is damaged: ciphertext verification failed") == ResticCause::damaged);
  CHECK(cause(1, "Fatal: unable to save snapshot: write /r/data/7f/7f-tmp-29: no space left on device") ==
        ResticCause::disk_full);
  CHECK(cause(1, "Fatal: unable to open repository at /r: ReadDir: open /r/keys: permission denied") ==
        ResticCause::permission_denied);
  CHECK(cause(137, "") == ResticCause::out_of_memory);
  CHECK(cause(130, "") == ResticCause::interrupted);
  CHECK(cause(1,
              R"({"message_type":"exit_error","code":1,"message":"Fatal: parsing repository location failed: invalid )"
              R"(backend\nIf the repository is in a local directory, you need to add a `local:` prefix"})") ==
        ResticCause::no_backend);
  CHECK(cause(1, "") == ResticCause::unknown);
  CHECK(cause(77, "a code of the future") == ResticCause::unknown);
}

TEST_CASE("a lock that could not be written is nobody else's lock, for which it would be waited",
          "[sidecar][restic_error][F33][F38][F46][I6]") {
  const auto unwritten = [](std::string_view why) {
    return cause(1, fmt::format("Fatal: unable to create lock in backend: {}\n", why));
  };
  CHECK(unwritten("open /r/locks/4f1e-tmp-29: no space left on device") == ResticCause::disk_full);
  CHECK(unwritten("open /r/locks/4f1e-tmp-29: permission denied") == ResticCause::permission_denied);
  CHECK(unwritten("server response unexpected: 403 Forbidden: unexpected HTTP response (403)") ==
        ResticCause::wrong_credentials);
  CHECK(unwritten("server response unexpected: 500 Internal Server Error (500)") == ResticCause::unknown);
}

TEST_CASE("damaged files are named, and not the lines of restic's source that follow",
          "[sidecar][restic_error][F37][I5][I11]") {
  const auto failure = explain(1,
                               "Error loading snapshot 969a10db: load <snapshot/969a10db43>: invalid data returned\n"
                               "github.com/restic/restic/internal/restic.FindLatestSnapshot.func1\n"
                               "\tgithub.com/restic/restic/internal/restic/snapshot_find.go:40\n"
                               "golang.org/x/sync/errgroup.(*Group).Go.func1\n"
                               "\tgolang.org/x/sync/errgroup/errgroup.go:75\n"
                               "runtime.goexit\n\truntime/asm_amd64.s:1594\n",
                               {"/r", "", ""}, {});
  CHECK(failure.cause == ResticCause::damaged);
  CHECK(failure.sentence.ends_with(
      "(Error loading snapshot 969a10db: load <snapshot/969a10db43>: invalid data returned)"));
  CHECK(cause(1, "Fatal: load <index/ea0a33cd46>: invalid data returned") == ResticCause::damaged);
}

TEST_CASE("nothing but a missing repository looks like one", "[sidecar][restic_error][F36][I14]") {
  // Each of these would otherwise lead to `init` over data (contract Q11).
  CHECK(cause(1,
              "Fatal: unable to open config file: stat /r/config: permission denied\nIs there a repository at the "
              "following location?\n/r\n") == ResticCause::permission_denied);
  CHECK(cause(1, fmt::format("{}{}", test::kNoRepository, test::kWrongPassword)) == ResticCause::wrong_password);
  CHECK(cause(12, test::kNoRepository) == ResticCause::wrong_password);
}

TEST_CASE("a sentence names the remedy", "[sidecar][restic_error]") {
  CHECK(explain(1, test::kWrongPassword, {"/safe/data", "", ""}, {}).sentence ==
        "wrong password for the repository at /safe/data: put the one it was created with into RESTIC_PASSWORD of the "
        "storage Secret (mind a trailing newline, which is part of it)");
  CHECK(explain(1, test::kWrongPassword, {"/safe/data", "web", ""}, {})
            .sentence.contains("RESTIC_PASSWORD of the storage Secret \"web\""));
  CHECK(explain(1, "warming up\nFatal: something new\nmore\n", {"/r", "", ""}, {}).sentence ==
        "restic failed (something new)");
  CHECK(explain(9, "", {"/r", "", ""}, {}).sentence == "restic failed (exit code 9)");
  CHECK(explain(1, "{\"message_type\":\"exit_error\",\"code\":1,\"message\":\"Fatal: odd\"}\n", {"/r", "", ""}, {})
            .sentence == "restic failed (Fatal: odd)");
}

std::string could_not_open(std::string_view why) {
  return fmt::format("Fatal: unable to open config file: {}\nIs there a repository at the following location?\n/r\n",
                     why);
}

TEST_CASE("before 0.17 every failure to open looks alike; only some mean that there is no repository",
          "[sidecar][restic_error]") {
  const auto cause_of = [](std::string_view why) { return cause(1, could_not_open(why)); };
  for (const char* absent :
       {"Stat: The specified key does not exist.", "Stat: The specified bucket does not exist.",
        "<config/> does not exist", "service.Objects.Get: storage: object doesn't exist",
        "conn.Object: Object Not Found",
        "blob.GetProperties: storage: service returned error: StatusCode=404, ErrorCode=404 The specified blob does "
        "not "
        "exist., ErrorMessage=no response body was available for error status code, RequestInitiated=Mon",
        "Stat: b2_download_file_by_name: 404: "}) {
    INFO(absent);
    CHECK(cause_of(absent) == ResticCause::no_repository);
  }
  CHECK(cause_of("Stat: Get \"https://h/b/?location=\": dial tcp 10.0.0.1:443: connect: connection refused") ==
        ResticCause::unreachable);
  CHECK(cause_of("Stat: Get \"https://h/b/?location=\": dial tcp: lookup h on 10.0.0.2:53: no such host") ==
        ResticCause::unreachable);
  CHECK(cause_of("Stat: Get \"https://h/b/?location=\": x509: certificate signed by unknown authority") ==
        ResticCause::untrusted);
  CHECK(cause_of("Stat: The request signature we calculated does not match the signature you provided. Check your key "
                 "and signing method.") == ResticCause::wrong_credentials);
  CHECK(cause_of("unexpected HTTP response (401): 401 Unauthorized") == ResticCause::wrong_credentials);
  CHECK(cause_of("service.Objects.Get: Get \"https://h/\": oauth2: cannot fetch token: 400") ==
        ResticCause::wrong_credentials);
  CHECK(cause_of("Get \"https://h/\": oauth2: cannot fetch token: Post \"http://t/\": dial tcp 10.0.0.1:80: connect: "
                 "connection refused") == ResticCause::unreachable);
  CHECK(cause_of("unexpected HTTP response (500): 500 Internal Server Error") == ResticCause::unknown);
  CHECK(cause_of("something of the future") == ResticCause::unknown);
}

TEST_CASE("a connection that breaks is the backend's, whatever the layer that tells it",
          "[sidecar][restic_error][F33][I5]") {
  const auto* const why = GENERATE(
      "Post \"http://h/data/ab\": net/http: HTTP/1.x transport connection broken: write tcp 10.0.0.1:4->10.0.0.2:443: "
      "write: protocol wrong type for socket",
      "Get \"http://h/\": net/http: HTTP/1.x transport connection broken: malformed HTTP response \"\\x15\\x03\\x01\"",
      "Head \"https://h/config\": EOF", "client.PutObject: Put \"https://h/b/data/ab\": unexpected EOF",
      "{\"message_type\":\"exit_error\",\"code\":1,\"message\":\"Fatal: Head \\\"https://h/config\\\": EOF\"}",
      "write tcp 10.0.0.1:4->10.0.0.2:443: write: broken pipe",
      "read tcp 10.0.0.1:4->10.0.0.2:443: use of closed network connection",
      "Get \"https://h/\": http: server closed idle connection",
      "Get \"https://h/\": net/http: timeout awaiting response headers",
      "Get \"https://h/\": net/http: TLS handshake timeout", "dial tcp: lookup h on 10.0.0.2:53: server misbehaving",
      "http2: server sent GOAWAY and closed the connection; LastStreamID=1999, ErrCode=NO_ERROR, debug=\"\"",
      "Post \"https://h/data/ab\": http2: Transport: cannot retry err [http2: Transport received Server's graceful "
      "shutdown GOAWAY] after Request.Body was written; define Request.GetBody to avoid this error",
      "http2: client connection lost", "http2: client conn is closed",
      "stream error: stream ID 5; INTERNAL_ERROR; received from peer",
      "Get \"https://h/\": tls: first record does not look like a TLS handshake", "ReadFull: request timeout",
      "client.PutObject: Your socket connection to the server was not read from or written to within the timeout "
      "period.");
  CAPTURE(why);
  CHECK(cause(1, fmt::format("Fatal: unable to save snapshot: {}\n", why)) == ResticCause::unreachable);
  CHECK(cause_of_retry(fmt::format("Save(<data/ab>) returned error, retrying after 1.3s: {}", why)) ==
        ResticCause::unreachable);
}

TEST_CASE("a file that ends too early is no broken connection", "[sidecar][restic_error][F37][I11]") {
  CHECK(cause(1, "Fatal: load <index/ea0a33cd46>: ReadFull: unexpected EOF") == ResticCause::unknown);
  CHECK(cause(1, "Fatal: StreamPack: ReadFull: unexpected EOF\nFatal: repository contains errors\n") ==
        ResticCause::damaged);
}

TEST_CASE("what restic tried again says nothing about how it ended, unless nothing else does",
          "[sidecar][restic_error][F33][F37][I11]") {
  const std::string retry =
      "Load(<index/ea0a33cd46>, 0, 0) returned error, retrying after 552ms: Get \"https://s3.example/ea0a\": EOF\n";
  CHECK(cause(1, retry + "error for tree 5d1c: not found in index\nFatal: repository contains errors\n") ==
        ResticCause::damaged);
  CHECK(cause(1, "Fatal: repository contains errors\n" + retry) == ResticCause::damaged);
  CHECK(cause(1, retry + "Fatal: unable to open config file: Stat: Access Denied.\n") ==
        ResticCause::wrong_credentials);
  CHECK(cause(1, retry) == ResticCause::unreachable);
  CHECK(cause(1, retry + "Fatal: something new\n") == ResticCause::unreachable);
}

TEST_CASE("a retry notice says why, and whether trying again can help", "[sidecar][restic_error]") {
  const auto of = [](std::string_view why) {
    return cause_of_retry(fmt::format("Stat(<config/>) returned error, retrying after 1.3s: {}", why));
  };
  CHECK(of("Stat: The specified bucket does not exist.") == ResticCause::no_repository);
  CHECK(of("Head \"http://h/config\": dial tcp 10.0.0.1:80: connect: connection refused") == ResticCause::unreachable);
  CHECK(of("Stat: Access Denied.") == ResticCause::wrong_credentials);
  CHECK(of("odd") == ResticCause::unknown);
  CHECK_FALSE(cause_of_retry("Fatal: connection refused"));
  CHECK(is_beyond_retries(ResticCause::wrong_credentials));
  CHECK(is_beyond_retries(ResticCause::untrusted));
  CHECK_FALSE(is_beyond_retries(ResticCause::unreachable));
  CHECK_FALSE(is_beyond_retries(ResticCause::unknown));
}

TEST_CASE("what restic asks for again although it is gone is told from other retries", "[sidecar][restic_error]") {
  const auto gone = [](const std::string& why) {
    return is_retry_of_what_is_gone(
        fmt::format("Load(<lock/40b9a79900>, 0, 0) returned error, retrying after 1.3s: {}", why));
  };
  CHECK(gone("open /safe/data/locks/40b9a799: no such file or directory"));
  CHECK(gone("<lock/40b9a79900> does not exist"));
  CHECK(gone("The specified key does not exist."));
  CHECK_FALSE(gone("dial tcp: connection refused"));
  CHECK_FALSE(is_retry_of_what_is_gone("open /safe/data/locks/40b9a799: no such file or directory"));
}

TEST_CASE("a first contact that we gave up is told by its last retry, without its delay and our port",
          "[sidecar][restic_error]") {
  const auto text = [](std::string_view delay, int port) {
    return fmt::format(
        "Stat(<config/>) returned error, retrying after {}: Head \"https://h/config\": read tcp "
        "10.0.0.1:{}->10.0.0.2:443: "
        "connection reset by peer\n\x1b[2Ksignal interrupt received, cleaning up\nFatal: unable to open config file: "
        "context canceled\nIs there a repository at the following location?\nrest:https://h/\n",
        delay, port);
  };
  const ResticFailure failure = explain(kNoExitCode, text("1.3s", 43210), {"rest:https://h/", "", ""}, {});
  CHECK(failure ==
        ResticFailure{ResticCause::unreachable,
                      "the repository at rest:https://h/ cannot be reached: check its address and the "
                      "network (Head \"https://h/config\": read tcp 10.0.0.2:443: connection reset by peer)"});
  CHECK(explain(kNoExitCode, text("9.9s", 55555), {"rest:https://h/", "", ""}, {}) == failure);
}

TEST_CASE("refused credentials and an unknown authority name the keys of the Secret", "[sidecar][restic_error]") {
  const ResticSubject subject{"s3:https://h/b", "web",
                              "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the storage "
                              "Secret \"web\""};
  CHECK(
      explain(1, could_not_open("Stat: Access Denied."), subject, {}).sentence ==
      "the server of the repository at s3:https://h/b refuses access: correct AWS_ACCESS_KEY_ID and "
      "AWS_SECRET_ACCESS_KEY of the storage Secret \"web\" (mind a trailing newline, which is part of a value), or let "
      "them read, list, write and delete there (unable to open config file: Stat: Access Denied.)");
  CHECK(
      explain(1, could_not_open("Stat: Get \"https://h/\": x509: certificate signed by unknown authority"), subject, {})
          .sentence.contains("put the certificate of its authority (PEM) into CA_CERT_DATA of the storage Secret "
                             "\"web\""));
}

TEST_CASE("a lock's sentence is the same at each try", "[sidecar][restic_error]") {
  std::string later = test::kLocked;
  later.replace(later.find("1.2189"), 6, "9.9999");
  CHECK(explain(1, test::kLocked, {"/r", "", ""}, {}) == explain(1, later, {"/r", "", ""}, {}));
}

TEST_CASE("secrets and the user info of URLs are cut out of every text", "[sidecar][restic_error][F80][I15]") {
  const std::vector<std::string> secrets{"canary-password"};
  CHECK(scrub("Get \"https://user:canary-password@host/x\": refused canary-password", secrets) ==
        "Get \"https://***@host/x\": refused ***");
  CHECK(scrub("rest:https://u:p@ss@host:8000/", {}) == "rest:https://***@host:8000/");
  CHECK(scrub("a\nb\x1b[31m", {}) == "a b [31m");
  CHECK(scrub(std::string(1000, 'x'), {}).size() == 403);
  CHECK(explain(1, "Fatal: dial https://u:canary-password@h/: no such host",
                {"rest:https://u:canary-password@h/", "", ""}, secrets)
            .sentence.find("canary") == std::string::npos);
}

}  // namespace
}  // namespace stash::sidecar
