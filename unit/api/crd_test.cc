#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <functional>

#include "api/codec.h"
#include "api/repository.h"
#include "api/restore_session.h"

using namespace stash;
using namespace stash::api;

namespace {

const Json& schema_of(const Json& crd) { return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]; }

/// Calls `visit` with every schema below `schema`, and its pointer.
void walk(const Json& schema, const std::string& pointer,
          const std::function<void(const Json&, const std::string&)>& visit) {
  visit(schema, pointer);
  if (schema.contains("properties")) {
    for (const auto& [name, property] : schema["properties"].items()) walk(property, pointer + "/" + name, visit);
  }
  if (schema.contains("items")) walk(schema["items"], pointer + "/-", visit);
}

const Json kAll[] = {custom_resource_definition<Repository>(),      custom_resource_definition<BackupConfiguration>(),
                     custom_resource_definition<BackupSession>(),   custom_resource_definition<RestoreSession>(),
                     custom_resource_definition<BackupBlueprint>(), custom_resource_definition<BackupSessionHost>()};

}  // namespace

TEST_CASE("each kind is served as the contract says", "[api][crd]") {
  const auto summary = [](const Json& crd) {
    std::string versions;
    for (const Json& version : crd["spec"]["versions"]) {
      // That one is made with its status in one request.
      const bool apart = crd["metadata"]["name"] != "backupsessionhosts.stash.appscode.com";
      CHECK(version.value("subresources", Json()) == (apart ? Json{{"status", Json::object()}} : Json()));
      versions += version["name"].get<std::string>() + (version["storage"] == true ? "*" : "") + " ";
    }
    return fmt::format("{} {} {}{}", crd["metadata"]["name"].get<std::string>(),
                       crd["spec"]["scope"].get<std::string>(), versions,
                       crd["spec"]["names"].value("shortNames", Json::array()).dump());
  };
  CHECK(summary(kAll[0]) == R"(repositories.stash.appscode.com Namespaced v1alpha1* v1beta1 ["repo"])");
  CHECK(summary(kAll[1]) == R"(backupconfigurations.stash.appscode.com Namespaced v1beta1* ["bc"])");
  CHECK(summary(kAll[2]) == R"(backupsessions.stash.appscode.com Namespaced v1beta1* [])");
  CHECK(summary(kAll[4]) == R"(backupblueprints.stash.appscode.com Cluster v1beta1* ["bb"])");
  CHECK(summary(kAll[5]) == R"(backupsessionhosts.stash.appscode.com Namespaced v1beta1* ["bsh"])");
  CHECK(summary(kAll[3]) == R"(restoresessions.stash.appscode.com Namespaced v1beta1* ["restore"])");
}

TEST_CASE("every object keeps fields of later releases", "[api][crd]") {
  for (const Json& crd : kAll) {
    for (const char* part : {"spec", "status"}) {
      walk(schema_of(crd)["properties"][part], part, [](const Json& schema, const std::string& pointer) {
        INFO(pointer);
        if (schema.value("type", "") == "object") CHECK(schema.value("x-kubernetes-preserve-unknown-fields", false));
      });
    }
  }
}

TEST_CASE("every field is documented", "[api][crd]") {
  for (const Json& crd : kAll) {
    walk(schema_of(crd), crd["spec"]["names"]["kind"].get<std::string>(),
         [](const Json& schema, const std::string& pointer) {
           INFO(pointer);
           if (pointer.ends_with("/-") || pointer.ends_with("/apiVersion") || pointer.ends_with("/metadata") ||
               pointer.ends_with("/kind"))
             return;
           CHECK_FALSE(schema.value("description", "").empty());
         });
  }
}

TEST_CASE("only keys of lists and mandatory parts of Kubernetes' own types are required", "[api][crd]") {
  std::vector<std::string> required;
  for (const Json& crd : kAll) {
    walk(schema_of(crd), crd["spec"]["names"]["kind"].get<std::string>(),
         [&](const Json& schema, const std::string& pointer) {
           if (schema.contains("required") && pointer.find("status") == std::string::npos) {
             required.push_back(pointer + " " + schema["required"].dump());
           }
         });
  }
  CHECK(required == std::vector<std::string>{R"(BackupConfiguration/spec/target/volumeMounts/- ["name","mountPath"])",
                                             R"(BackupConfiguration/spec/task/params/- ["name","value"])",
                                             R"(RestoreSession/spec/target/volumeMounts/- ["name","mountPath"])",
                                             R"(RestoreSession/spec/task/params/- ["name","value"])",
                                             R"(BackupBlueprint/spec/task/params/- ["name","value"])"});
}

TEST_CASE("statuses name their hosts and conditions by key, so that writers do not collide", "[api][crd]") {
  for (const Json* crd : {&kAll[2], &kAll[3]}) {
    const Json& status = schema_of(*crd)["properties"]["status"]["properties"];
    CHECK(status["stats"]["x-kubernetes-list-map-keys"] == Json{"hostname"});
    CHECK(status["stats"]["items"]["required"] == Json{"hostname"});
    CHECK(status["conditions"]["x-kubernetes-list-map-keys"] == Json{"type"});
  }
}

TEST_CASE("what a session was told to do cannot be changed, nor which host of which session an object is",
          "[api][crd][F77][I16]") {
  for (const char* kind : {"BackupSession", "RestoreSession", "BackupSessionHost"}) {
    const auto crd =
        std::ranges::find_if(kAll, [&](const Json& each) { return each["spec"]["names"]["kind"] == kind; });
    REQUIRE(crd != std::end(kAll));
    const std::string rules = schema_of(*crd)["x-kubernetes-validations"].dump();
    CHECK_THAT(rules, Catch::Contains("self.spec == oldSelf.spec"));
  }
}

TEST_CASE("rules of a RestoreSession are checked wherever they stand", "[api][crd]") {
  const Json& spec = schema_of(kAll[3])["properties"]["spec"]["properties"];
  CHECK(spec["rules"]["x-kubernetes-validations"].size() == 2);
  Json newer = spec["target"]["properties"]["rules"];
  Json older = spec["rules"];
  newer.erase("description");
  older.erase("description");
  CHECK(newer == older);
}

TEST_CASE("a BackupBlueprint takes the backends that a Repository takes, with the same rules", "[api][crd]") {
  const Json& repository = schema_of(kAll[0])["properties"]["spec"];
  const Json& blueprint = schema_of(kAll[4])["properties"]["spec"];
  CHECK(blueprint["properties"]["backend"] == repository["properties"]["backend"]);
  CHECK(blueprint["x-kubernetes-validations"] == repository["x-kubernetes-validations"]);
}

TEST_CASE("a field that is not acted on says so in its description", "[api][crd]") {
  const Json& spec = schema_of(kAll[1])["properties"]["spec"]["properties"];
  CHECK(spec["interimVolumeTemplate"]["description"] == "Only for backups by jobs. Accepted, but not acted on yet.");
}
