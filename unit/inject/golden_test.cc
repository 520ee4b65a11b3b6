#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "unit/inject/scene.h"

// golden/<case>.in.json is a workload and the objects of its namespace; golden/<case>.patch.json the patch that they
// get and the reasons of what they do not get. Rewritten by `make golden`, then reviewed like code.
namespace stash::test {
namespace {

namespace fs = std::filesystem;

Json read(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  const auto json = parse_json(text.str());
  INFO(path);
  REQUIRE(json);
  return *json;
}

Scene scene_of(const Json& in) {
  Scene scene;
  scene.no_repository();
  for (const auto& [key, value] : object_at(in, {"namespaceLabels"}).items()) {
    scene.namespace_label(key, value.get<std::string>());
  }
  for (const Json& object : array_at(in, {"objects"})) {
    const std::string kind = string_at(object, {"kind"});
    if (kind == "BackupConfiguration") scene.backup(api::decode<api::BackupConfiguration>(object).value());
    if (kind == "RestoreSession") scene.restore(api::decode<api::RestoreSession>(object).value());
    if (kind == "Repository") scene.repository(api::decode<api::Repository>(object).value());
  }
  return scene;
}

Json outcome_of(const Json& in) {
  const Json* before = at(in, {"before"});
  const auto injection = scene_of(in).inject(in["workload"], before);
  Json findings = Json::array();
  for (const inject::Finding& finding : injection.findings) {
    findings.push_back({{"code", code_of(finding.reason)}, {"object", finding.object}, {"message", finding.message}});
  }
  return {{"patch", document(injection.patch)}, {"findings", findings}};
}

TEST_CASE("golden workloads get exactly their patches", "[inject][golden]") {
  std::size_t cases = 0;
  for (const auto& entry : fs::directory_iterator(INJECT_GOLDEN_DIRECTORY)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".in.json")) continue;
    ++cases;
    const fs::path expected = entry.path().parent_path() / (name.substr(0, name.size() - 8) + ".patch.json");
    const Json outcome = outcome_of(read(entry.path()));
    if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(expected) << outcome.dump(2) << "\n";
    INFO(name << " gives another patch; if that is right, run `make golden` and review the difference:\n"
              << Json::diff(read(expected), outcome).dump(2));
    CHECK(read(expected) == outcome);
  }
  CHECK(cases >= 8);
}

}  // namespace
}  // namespace stash::test
