#include "cli/doctor_reading.h"

#include <catch2/catch.hpp>

#include "base/base64.h"
#include "certs/authority.h"
#include "unit/support/fake_kubectl.h"
#include "unit/support/objects.h"

using namespace stash;
using namespace stash::cli;
using stash::test::FakeKubectl;
using stash::test::kCreated;

namespace {

/// Of all lists one Deployment, that of the webhook, and `secret` for its certificate.
DoctorWorld world_with(const std::string& secret) {
  const FakeKubectl fake(R"(case "$*" in
*"get secret "*) )" + secret +
                         R"( ;;
*deployments.apps*) echo '{"items": [{"metadata": {"name": "w", "namespace": "stash"}, "spec": {"template": {"spec":
  {"containers": [{"command": ["/usr/bin/stash-webhook"], "args": ["--cert-secret=cert"]}]}}}}]}' ;;
*) echo '{"items": []}' ;;
esac)");
  Kubectl kubectl = fake.kubectl();
  return read_doctor_world(kubectl, kCreated).value();
}

}  // namespace

TEST_CASE("who is not logged in is told so, and nothing is called healthy", "[cli][doctor]") {
  for (const char* said :
       {"error: You must be logged in to the server (the server has asked for the client to provide credentials)",
        "error: You must be logged in to the server (Unauthorized)",
        "Error from server (Unauthorized): Unauthorized"}) {
    const FakeKubectl fake("echo '" + std::string(said) + "' >&2; exit 1");
    Kubectl kubectl = fake.kubectl();
    const auto world = read_doctor_world(kubectl, kCreated);
    CAPTURE(said);
    REQUIRE_FALSE(world.has_value());
    CHECK(world.error().message.starts_with("the cluster does not know who you are"));
    CHECK(world.error().message.contains("log in again"));
  }
}

TEST_CASE("a kind that may not be listed is noted, and the others are read", "[cli][doctor]") {
  const FakeKubectl fake(R"(case "$*" in
*leases*) echo 'Error from server (Forbidden): leases is forbidden' >&2; exit 1 ;;
*) echo '{"items": []}' ;;
esac)");
  Kubectl kubectl = fake.kubectl();
  const DoctorWorld world = read_doctor_world(kubectl, kCreated).value();
  CHECK(world.unreadable == std::map<std::string, std::string>{{"leases", "leases is forbidden"}});
  CHECK(world.lists.size() == doctor_kinds().size() - 1);
}

TEST_CASE("a Secret without a certificate is told from one that may not be read", "[cli][doctor]") {
  DoctorWorld world = world_with(R"(echo 'Error from server (NotFound): secrets "cert" not found' >&2; exit 1)");
  CHECK(world.certificate_fault == "Secret stash/cert does not exist");
  CHECK(world.unreadable.empty());

  world = world_with("true");
  CHECK(world.certificate_fault == "Secret stash/cert has no tls.crt");

  world = world_with("echo bm8gY2VydGlmaWNhdGU=");
  CHECK(world.certificate_fault.starts_with("tls.crt of Secret stash/cert: "));

  world = world_with("echo 'Error from server (Forbidden): secrets is forbidden' >&2; exit 1");
  CHECK(world.certificate_fault.empty());
  CHECK(world.unreadable == std::map<std::string, std::string>{{"certificate", "secrets is forbidden"}});

  const auto ca = certs::make_ca("ca", kCreated, std::chrono::hours(1)).value();
  world = world_with("echo " + encode_base64(ca.certificate_pem));
  CHECK(world.certificate_fault.empty());
  CHECK(world.serving_certificate.has_value());
}
