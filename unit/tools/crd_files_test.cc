#include "tools/crdgen/crd_files.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

using namespace stash::crdgen;

TEST_CASE("the chart's CRDs are those of the tables", "[tools][crdgen]") {
  for (const auto& [name, text] : crd_files(Form::chart)) {
    std::ifstream file(std::string(STASH_SOURCE_DIR) + "/charts/stash/templates/crds/" + name);
    const std::string in_chart{std::istreambuf_iterator<char>(file), {}};
    INFO("charts/stash/templates/crds/" << name << " is out of date; run: make generate");
    CHECK((in_chart == text));  // in parentheses, for two thousand lines of difference say less than the command
  }
}

TEST_CASE("helm finds only our own braces in the CRDs", "[tools][crdgen]") {
  for (const auto& [name, text] : crd_files(Form::plain)) {
    INFO(name);
    CHECK(text.find("{{") == std::string::npos);
    CHECK(text.find("}}") == std::string::npos);
  }
}

TEST_CASE("the chart's CRDs outlive the release", "[tools][crdgen]") {
  for (const auto& [name, text] : crd_files(Form::chart)) {
    INFO(name);
    CHECK(text.find("helm.sh/resource-policy: keep\n") != std::string::npos);
    CHECK(text.find("{{- if .Values.crds.install }}\n") != std::string::npos);
  }
}
