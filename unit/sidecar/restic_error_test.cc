#include "sidecar/restic_error.h"

#include <catch2/catch.hpp>

#include "unit/support/fake_restic.h"

namespace stash::sidecar {
namespace {

ResticCause cause(int code, std::string_view text) { return explain(code, text, "/safe/data", {}).cause; }

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
  CHECK(cause(1, "") == ResticCause::unknown);
  CHECK(cause(77, "a code of the future") == ResticCause::unknown);
}

TEST_CASE("nothing but a missing repository looks like one", "[sidecar][restic_error]") {
  // Each of these would otherwise lead to `init` over data (contract Q11).
  CHECK(cause(1,
              "Fatal: unable to open config file: stat /r/config: permission denied\nIs there a repository at the "
              "following location?\n/r\n") == ResticCause::permission_denied);
  CHECK(cause(1, fmt::format("{}{}", test::kNoRepository, test::kWrongPassword)) == ResticCause::wrong_password);
  CHECK(cause(12, test::kNoRepository) == ResticCause::wrong_password);
}

TEST_CASE("a sentence names the remedy", "[sidecar][restic_error]") {
  CHECK(explain(1, test::kWrongPassword, "/safe/data", {}).sentence ==
        "wrong password for the repository at /safe/data: put the one it was created with into RESTIC_PASSWORD of the "
        "storage Secret (mind a trailing newline, which is part of it)");
  CHECK(explain(1, test::kWrongPassword, "/safe/data", {}, "web")
            .sentence.contains("RESTIC_PASSWORD of the storage Secret \"web\""));
  CHECK(explain(1, "warming up\nFatal: something new\nmore\n", "/r", {}).sentence == "restic failed (something new)");
  CHECK(explain(9, "", "/r", {}).sentence == "restic failed (exit code 9)");
  CHECK(explain(1, "{\"message_type\":\"exit_error\",\"code\":1,\"message\":\"Fatal: odd\"}\n", "/r", {}).sentence ==
        "restic failed (Fatal: odd)");
}

TEST_CASE("a lock's sentence is the same at each try", "[sidecar][restic_error]") {
  std::string later = test::kLocked;
  later.replace(later.find("1.2189"), 6, "9.9999");
  CHECK(explain(1, test::kLocked, "/r", {}) == explain(1, later, "/r", {}));
}

TEST_CASE("secrets and the user info of URLs are cut out of every text", "[sidecar][restic_error]") {
  const std::vector<std::string> secrets{"canary-password"};
  CHECK(scrub("Get \"https://user:canary-password@host/x\": refused canary-password", secrets) ==
        "Get \"https://***@host/x\": refused ***");
  CHECK(scrub("rest:https://u:p@ss@host:8000/", {}) == "rest:https://***@host:8000/");
  CHECK(scrub("a\nb\x1b[31m", {}) == "a b [31m");
  CHECK(scrub(std::string(1000, 'x'), {}).size() == 403);
  CHECK(
      explain(1, "Fatal: dial https://u:canary-password@h/: no such host", "rest:https://u:canary-password@h/", secrets)
          .sentence.find("canary") == std::string::npos);
}

}  // namespace
}  // namespace stash::sidecar
