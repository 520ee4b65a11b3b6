#include "inject/identity.h"

#include <catch2/catch.hpp>

#include "unit/inject/scene.h"

namespace stash::test {
namespace {

using inject::PodSecurity;

const std::vector<api::VolumeMount> kMounts = {{"source-data", "/source/data", ""}};

Json sidecar_context(const Json& workload, PodSecurity level = PodSecurity::privileged,
                     const Json& wishes = Json::object()) {
  return inject::security_context(inject::sidecar_identity(workload, kMounts, level, wishes), wishes);
}
Json init_context(const Json& workload, PodSecurity level, const Json& wishes = Json::object()) {
  return inject::security_context(inject::init_container_identity(workload, kMounts, level, wishes), wishes);
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
  const Json context = init_context(workload, PodSecurity::baseline);
  CHECK(context["runAsUser"] == 0);
  CHECK(context["runAsGroup"] == 0);
  CHECK(context["runAsNonRoot"] == false);
  CHECK(context["capabilities"] ==
        Json{{"drop", {"ALL"}}, {"add", {"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "MKNOD", "SETFCAP"}}});
  CHECK(init_context(workload, PodSecurity::restricted)["runAsUser"] == 1000);
}

TEST_CASE("wishes are laid over field by field", "[inject][identity]") {
  const Json context = sidecar_context(a_workload(), PodSecurity::privileged,
                                       {{"runAsUser", 7}, {"capabilities", {{"add", {"CHOWN"}}}}});
  CHECK(context["runAsUser"] == 7);
  CHECK(context["runAsNonRoot"] == true);
  CHECK(context["capabilities"] == Json{{"drop", {"ALL"}}, {"add", {"CHOWN"}}});
  CHECK(context["readOnlyRootFilesystem"] == true);
}

// The kubelet starts no container that is user 0 and must not be root.
TEST_CASE("who wishes not to be root, and no more, is not root", "[inject][identity][F70][I1]") {
  const Json wish = {{"runAsNonRoot", true}};
  const Json unknown = a_workload();
  const Json root = a_workload().pod_security_context({{"runAsUser", 0}});
  const Json user = a_workload().pod_security_context({{"runAsUser", 1000}, {"runAsGroup", 2000}});
  for (const auto& context_of : {sidecar_context, init_context}) {
    for (const Json& workload : {unknown, root}) {
      const Json context = context_of(workload, PodSecurity::privileged, wish);
      CHECK(context["runAsUser"] == 65535);
      CHECK(context["runAsGroup"] == 65535);
      CHECK(context["runAsNonRoot"] == true);
      CHECK(context["capabilities"] == Json{{"drop", {"ALL"}}});
    }
    const Json context = context_of(user, PodSecurity::baseline, wish);
    CHECK(context["runAsUser"] == 1000);
    CHECK(context["runAsGroup"] == 2000);
    CHECK(context_of(user, PodSecurity::baseline, {{"runAsNonRoot", true}, {"runAsUser", 7}})["runAsUser"] == 7);
    CHECK(context_of(root, PodSecurity::baseline, {{"runAsNonRoot", false}})["runAsUser"] == 0);
  }
}

}  // namespace
}  // namespace stash::test
