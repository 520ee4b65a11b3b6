#include "inject/identity.h"

#include <catch2/catch.hpp>

#include "unit/inject/scene.h"

namespace stash::test {
namespace {

using inject::PodSecurity;

const std::vector<api::VolumeMount> kMounts = {{"source-data", "/source/data", ""}};

Json sidecar_context(const Json& workload, PodSecurity level = PodSecurity::privileged) {
  return inject::sidecar_security_context(workload, kMounts, level);
}

TEST_CASE("the sidecar runs as the container whose data it reads", "[inject][identity]") {
  const Json context = sidecar_context(a_workload()
                                           .pod_security_context({{"runAsUser", 1000}, {"runAsGroup", 2000}})
                                           .container_security_context({{"runAsUser", 3000}}));
  CHECK(context == Json{{"runAsUser", 3000},
                        {"runAsGroup", 2000},
                        {"runAsNonRoot", true},
                        {"allowPrivilegeEscalation", false},
                        {"readOnlyRootFilesystem", true},
                        {"seccompProfile", {{"type", "RuntimeDefault"}}},
                        {"capabilities", {{"drop", {"ALL"}}}}});
}

TEST_CASE("the sidecar is nobody in a pod that must not run as root", "[inject][identity]") {
  const Json context = sidecar_context(a_workload().pod_security_context({{"runAsNonRoot", true}}));
  CHECK(context["runAsUser"] == 65535);
  CHECK(context["runAsGroup"] == 65535);
  CHECK(context["runAsNonRoot"] == true);
  CHECK(sidecar_context(a_workload(), PodSecurity::restricted)["runAsUser"] == 65535);
}

TEST_CASE("the sidecar is root with one capability where nothing says who owns the data", "[inject][identity]") {
  const Json context = sidecar_context(a_workload());
  CHECK(context["runAsUser"] == 0);
  CHECK(context["runAsNonRoot"] == false);
  CHECK(context["capabilities"] == Json{{"drop", {"ALL"}}, {"add", {"DAC_OVERRIDE"}}});
}

TEST_CASE("users of wrong types or out of range say nothing", "[inject][identity]") {
  CHECK(sidecar_context(a_workload().pod_security_context({{"runAsUser", "1000"}}))["runAsUser"] == 0);
  CHECK(sidecar_context(a_workload().pod_security_context({{"runAsUser", -5}}))["runAsUser"] == 0);
  CHECK(sidecar_context(a_workload().pod_security_context("hostile"))["runAsUser"] == 0);
}

TEST_CASE("the init container is root, except where Pod Security forbids it", "[inject][identity]") {
  const Json workload = a_workload().pod_security_context({{"runAsUser", 1000}, {"runAsNonRoot", true}});
  const Json context = inject::init_container_security_context(workload, kMounts, PodSecurity::baseline);
  CHECK(context["runAsUser"] == 0);
  CHECK(context["runAsGroup"] == 0);
  CHECK(context["runAsNonRoot"] == false);
  CHECK(context["capabilities"] ==
        Json{{"drop", {"ALL"}}, {"add", {"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "MKNOD", "SETFCAP"}}});
  CHECK(inject::init_container_security_context(workload, kMounts, PodSecurity::restricted)["runAsUser"] == 1000);
}

TEST_CASE("wishes are laid over field by field", "[inject][identity]") {
  const Json base = sidecar_context(a_workload());
  const Json context = inject::overlay(base, {{"runAsUser", 7}, {"capabilities", {{"add", {"CHOWN"}}}}});
  CHECK(context["runAsUser"] == 7);
  CHECK(context["runAsNonRoot"] == true);
  CHECK(context["capabilities"] == Json{{"drop", {"ALL"}}, {"add", {"CHOWN"}}});
  CHECK(context["readOnlyRootFilesystem"] == true);
  CHECK(inject::overlay(base, Json::object()) == base);
}

}  // namespace
}  // namespace stash::test
