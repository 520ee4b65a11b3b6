#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "sidecar/restic.h"
#include "unit/support/fake_restic.h"

/// A backend that is not there must be told soon: restic itself tries for a quarter of an hour.
namespace stash::sidecar {
namespace {

using std::chrono::milliseconds;
using test::FakeRestic;

const api::Backend kRest{.storage_secret_name = "storage", .rest = api::RestBackend{"https://host:8000/name/"}};
constexpr const char* kThreeRetries =
    "for n in 1 2 3; do echo \"Stat(<config/>) returned error, retrying after ${{n}}s: {}\" >&2; done; exec sleep 600";

struct FirstContact {
  FakeRestic fake;
  ResticPlace place;
  FirstContact() {
    fake.write_secret("RESTIC_PASSWORD", "canary-password");
    place = fake.place();
    // So long that a test that waits for it is seen to.
    place.patience.contact = std::chrono::hours(1);
    place.patience.silence = std::chrono::hours(1);
  }
  Restic open(GoOn go_on = [] { return true; }) const {
    auto restic = Restic::open(kRest, Restic::Access::write, {0, 19, 1}, place, std::move(go_on));
    REQUIRE(restic);
    return *std::move(restic);
  }
  void retries(const char* why) { fake.on("cat", {.before = fmt::format(kThreeRetries, why)}); }
};

TEST_CASE("what no retry heals ends the first contact at the second time", "[sidecar][first_contact][F34][I6]") {
  FirstContact contact;
  SECTION("credentials") {
    contact.retries("unexpected HTTP response (403): 403 Forbidden");
    const auto found = contact.open().has_repository();
    REQUIRE_FALSE(found);
    CHECK(found.error() ==
          ResticFailure{ResticCause::wrong_credentials,
                        "the server of the repository at rest:https://host:8000/name/ refuses access: correct "
                        "REST_SERVER_USERNAME and REST_SERVER_PASSWORD of the storage Secret \"storage\" (mind a "
                        "trailing newline, which is part of a value), or let them read, list, write and delete there "
                        "(unexpected HTTP response (403): 403 Forbidden)"});
  }
  SECTION("a certificate") {
    contact.retries("tls: failed to verify certificate: x509: certificate signed by unknown authority");
    CHECK(contact.open().has_repository().error().cause == ResticCause::untrusted);
  }
  SECTION("a bucket that is not there, which init makes") {
    contact.retries("Stat: The specified bucket does not exist.");
    CHECK(contact.open().has_repository() == false);
  }
}

TEST_CASE("a backend that refuses connections is given up after a while", "[sidecar][first_contact][F33][I6]") {
  FirstContact contact;
  contact.place.patience.contact = milliseconds(100);
  contact.retries("dial tcp 10.0.0.1:8000: connect: connection refused");
  const auto found = contact.open().has_repository();
  REQUIRE_FALSE(found);
  CHECK(found.error() ==
        ResticFailure{ResticCause::unreachable,
                      "the repository at rest:https://host:8000/name/ cannot be reached: check its "
                      "address and the network (dial tcp 10.0.0.1:8000: connect: connection refused)"});
}

TEST_CASE("a backend that says nothing at all is given up later", "[sidecar][first_contact][F33][I6]") {
  FirstContact contact;
  contact.place.patience.silence = milliseconds(100);
  contact.fake.hang("cat");
  const auto found = contact.open().has_repository();
  REQUIRE_FALSE(found);
  CHECK(found.error() ==
        ResticFailure{ResticCause::unreachable,
                      "the repository at rest:https://host:8000/name/ did not answer within 1 s: check "
                      "its address and the network"});
}

TEST_CASE("retries that succeed in the end are a success", "[sidecar][first_contact]") {
  FirstContact contact;
  contact.fake.on("cat", {.standard_error = "Stat(<config/>) returned error, retrying after 1s: connection refused\n"});
  CHECK(contact.open().has_repository() == true);
}

TEST_CASE("a stop during the first contact is a stop, not a failure of the backend", "[sidecar][first_contact]") {
  FirstContact contact;
  contact.fake.hang("cat");
  CHECK(contact.open([] { return false; }).has_repository().error().cause == ResticCause::interrupted);
}

TEST_CASE("init ends with what no retry heals, but is not timed", "[sidecar][first_contact]") {
  FirstContact contact;
  contact.fake.on("init", {.before = fmt::format(kThreeRetries, "unexpected HTTP response (403): 403 Forbidden")});
  const auto made = contact.open().init();
  REQUIRE_FALSE(made);
  CHECK(made.error().cause == ResticCause::wrong_credentials);
}

}  // namespace
}  // namespace stash::sidecar
