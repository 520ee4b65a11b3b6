#include "inject/runtime_settings.h"

#include <catch2/catch.hpp>

namespace stash::inject {
namespace {

Result<ContainerSettings> settings(Json container) {
  return container_settings({std::move(container), Json::object()});
}

std::string problem(Json container) {
  const auto result = settings(std::move(container));
  return result ? "none" : result.error().message;
}

TEST_CASE("limits and requests are taken apart from one another", "[inject][runtime]") {
  CHECK(settings({{"resources", {{"requests", {{"cpu", "100m"}}}}}})->resources ==
        Json{{"requests", {{"cpu", "100m"}}}});
  CHECK(settings({{"resources", {{"limits", {{"memory", 1000}}}}}})->resources ==
        Json{{"limits", {{"memory", "1000"}}}});
  CHECK(settings({{"resources", Json::object()}})->resources.empty());
}

TEST_CASE("nice and ionice become variables, before those of the user", "[inject][runtime]") {
  const auto checked = settings({{"nice", {{"adjustment", 5}}},
                                 {"ionice", {{"class", 2}, {"classData", 4}}},
                                 {"env", {Json{{"name", "A"}, {"value", "b"}}}}});
  CHECK(checked->env ==
        Json::array({Json{{"name", "NICE_ADJUSTMENT"}, {"value", "5"}}, Json{{"name", "IONICE_CLASS"}, {"value", "2"}},
                     Json{{"name", "IONICE_CLASS_DATA"}, {"value", "4"}}, Json{{"name", "A"}, {"value", "b"}}}));
}

TEST_CASE("what the API server would drop is not asked for", "[inject][runtime]") {
  const auto checked = settings({{"env", {Json{{"name", "A"}, {"value", ""}}}},
                                 {"livenessProbe", {{"tcpSocket", {{"port", 80}}}, {"periodSeconds", 0}}},
                                 {"securityContext", nullptr}});
  CHECK(checked->env == Json::array({Json{{"name", "A"}}}));
  CHECK(checked->hooks == Json{{"livenessProbe", {{"tcpSocket", {{"port", 80}}}}}});
  CHECK(checked->security_context.empty());
}

TEST_CASE("what the API server would refuse is refused, with its place", "[inject][runtime]") {
  const std::string place = "spec.runtimeSettings.container";
  CHECK(problem(Json("x")) == place + ": expected an object");
  CHECK(problem({{"resorces", Json::object()}}) ==
        place + "/resorces: not a field that can be put into a pod; check its spelling");
  CHECK(problem({{"resources", {{"limits", {{"cpu", "a lot"}}}}}}) == place + "/resources/limits/cpu: not a quantity");
  CHECK(problem({{"resources", {{"limits", {{"cpu", "-1"}}}}}}) ==
        place + "/resources/limits/cpu: must not be negative");
  CHECK(problem({{"resources", {{"limits", {{"cpu", "100m"}}}, {"requests", {{"cpu", "0.2"}}}}}}) ==
        place + "/resources: the request for cpu is above its limit");
  CHECK(problem({{"env", {Json{{"name", "A=B"}}}}}) == place + "/env/0/name: not the name of a variable");
  CHECK(problem({{"env", {Json{{"value", "x"}}}}}) == place + "/env/0: needs a name");
  CHECK(problem({{"env", {Json{{"name", "A"}, {"value", 5}}}}}) == place + "/env/0/value: expected a string");
  CHECK(problem({{"env", {Json{{"name", "A"}, {"valueFrom", Json::object()}}}}}) ==
        place + "/env/0/valueFrom: needs exactly one source");
  CHECK(problem({{"env", {nullptr}}}) == place + "/env/0: expected an object");
  CHECK(problem({{"envFrom", {Json{{"prefix", "A"}}}}}) == place + "/envFrom/0: needs exactly one source");
  CHECK(problem({{"livenessProbe", {{"exec", {{"command", {"x"}}}}, {"tcpSocket", {{"port", 1}}}}}}) ==
        place + "/livenessProbe: needs exactly one action");
  CHECK(problem({{"readinessProbe", {{"httpGet", {{"port", 65536}}}}}}) ==
        place + "/readinessProbe/httpGet/port: not a port number or name");
  CHECK(problem({{"readinessProbe", {{"httpGet", {{"port", "Web_1"}}}}}}) ==
        place + "/readinessProbe/httpGet/port: not a port number or name");
  CHECK(problem({{"livenessProbe", {{"tcpSocket", {{"port", 1}}}, {"successThreshold", 2}}}}) ==
        place + "/livenessProbe/successThreshold: must be from 0 to 1");
  CHECK(problem({{"nice", {{"adjustment", 100}}}}) == place + "/nice/adjustment: must be from -20 to 19");
  CHECK(problem({{"securityContext", {{"runAsUser", 18446744073709551615ULL}}}}) ==
        place + "/securityContext/runAsUser: must be from 0 to 2147483647");
  CHECK(problem({{"securityContext", {{"runAsUser", 0}, {"runAsNonRoot", true}}}}) ==
        place + "/securityContext: runAsUser 0 contradicts runAsNonRoot");
}

TEST_CASE("a variable shows what the pod is labelled with and what the container may use", "[inject][runtime]") {
  const auto env = [](Json source) { return Json{{"env", {Json{{"name", "A"}, {"valueFrom", std::move(source)}}}}}; };
  const auto field = [&](std::string path) { return problem(env({{"fieldRef", {{"fieldPath", std::move(path)}}}})); };
  for (const char* good : {"metadata.labels['app']", "metadata.labels['app.kubernetes.io/name']",
                           "metadata.annotations['example.com/Team_a.b']", "spec.nodeName"}) {
    CAPTURE(good);
    CHECK(field(good) == "none");
  }
  for (const char* bad :
       {"metadata.labels", "metadata.labels['']", "metadata.labels[app]", "metadata.labels['a b']",
        "metadata.labels['/a']", "metadata.labels['A.b/c']", "metadata.labels['a/b/c']", "metadata.labels['-a']",
        "metadata.labels['", "metadata.labels['x..y/a']", "spec.labels['app']"}) {
    CAPTURE(bad);
    CHECK(field(bad).ends_with("fieldPath: not a field that a variable can show"));
  }
  CHECK(problem(env({{"fieldRef", {{"apiVersion", "v2"}, {"fieldPath", "metadata.name"}}}})).ends_with("must be v1"));

  const auto amount = [&](Json of) { return problem(env({{"resourceFieldRef", std::move(of)}})); };
  CHECK(amount({{"resource", "limits.memory"}, {"divisor", "1Mi"}}) == "none");
  CHECK(amount({{"resource", "limits.cpu"}, {"divisor", 1}}) == "none");
  CHECK(amount({{"resource", "limits.cpu"}, {"divisor", "1Mi"}}).ends_with("the divisor of cpu is 1 or 1m"));
  CHECK(amount({{"resource", "limits.memory"}, {"divisor", "2Mi"}}).ends_with("one unit, such as 1Mi"));
  CHECK(amount({{"resource", "limits.gpu"}}).ends_with("such as limits.cpu"));
  CHECK(amount({{"divisor", "1"}}).ends_with("needs a resource"));
  CHECK(amount({{"resource", "limits.cpu"}, {"containerName", "app"}}).ends_with("is meant when it is left out"));
  const auto own = settings(env({{"resourceFieldRef", {{"resource", "limits.cpu"}, {"containerName", "stash"}}}}));
  CHECK(own->env ==
        Json::array({Json{{"name", "A"}, {"valueFrom", {{"resourceFieldRef", {{"resource", "limits.cpu"}}}}}}}));
}

TEST_CASE("more rights than Pod Security baseline allows are never injected", "[inject][runtime][F70][I16]") {
  CHECK(problem({{"securityContext", {{"privileged", true}}}}) ==
        "spec.runtimeSettings.container/securityContext: privileged containers are never injected");
  CHECK(problem({{"securityContext", {{"capabilities", {{"add", {"SYS_ADMIN"}}}}}}}) ==
        "spec.runtimeSettings.container/securityContext/capabilities/add/0: not a capability that Stash injects; "
        "allowed are those of Pod Security \"baseline\"");
  CHECK(problem({{"securityContext", {{"capabilities", {{"add", {"CHOWN"}}}}}}}) == "none");
}

TEST_CASE("resources for a Job are taken as they are, but that no request is above its limit", "[inject][runtime]") {
  CHECK(parse_resources(R"({"requests": {"cpu": 1, "memory": "16Mi"}, "limits": {}})").value() ==
        Json({{"requests", {{"cpu", "1"}, {"memory", "16Mi"}}}}));
  CHECK(parse_resources("{}").value() == Json::object());
  // As a chart's defaults and a value that raises only the request make it.
  CHECK(
      parse_resources(R"({"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"cpu": 2, "memory": "64Mi"}})").value() ==
      Json({{"requests", {{"cpu", "1"}, {"memory", "1Gi"}}}, {"limits", {{"cpu", "2"}, {"memory", "1Gi"}}}}));
  for (const char* bad : {R"({"limits": {"cpu": "much"}})", R"({"limit": {"cpu": 1}})", "[]", "{"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_resources(bad));
  }
}

TEST_CASE("of the place of pods what says nothing is left out, and what cannot be is named",
          "[inject][runtime][F70][I16]") {
  const auto checked = [](const Json& pod) { return pod_placement({Json::object(), pod}); };
  const auto placement = [&](const Json& pod) { return checked(pod).value(); };
  const Json placed = {{"nodeSelector", {{"disk", "ssd"}, {"empty", ""}}},
                       {"tolerations", {{{"operator", "Exists"}, {"tolerationSeconds", 0}}}},
                       {"priorityClassName", "low"}};
  CHECK(placement(placed) == placed);
  CHECK(placement({{"nodeSelector", nullptr}, {"tolerations", Json::array()}, {"nodeName", "a"}}) == Json::object());
  CHECK(placement("hostile") == Json::object());
  CHECK(checked({{"nodeSelector", {{"disk", 5}}}}).error().message ==
        "spec.runtimeSettings.pod/nodeSelector/disk: expected a string");
  CHECK(checked({{"tolerations", {{{"efect", "NoSchedule"}}}}})
            .error()
            .message.starts_with("spec.runtimeSettings.pod/tolerations/0/efect: "));
}

TEST_CASE("pull secrets are read by name, whatever else is there", "[inject][runtime]") {
  CHECK(
      pull_secrets_of({Json::object(), {{"imagePullSecrets", {Json{{"name", "a"}}, "hostile", Json{{"name", ""}}}}}}) ==
      std::vector<std::string>{"a"});
  CHECK(pull_secrets_of({Json::object(), Json("hostile")}).empty());
}

}  // namespace
}  // namespace stash::inject
