#include "tools/crdgen/reference.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <sstream>

#include "tools/crdgen/crd_files.h"

using namespace stash::crdgen;

TEST_CASE("docs/reference.md is that of the tables", "[tools][crdgen]") {
  std::ifstream file(std::string(STASH_SOURCE_DIR) + "/docs/reference.md");
  const std::string in_tree{std::istreambuf_iterator<char>(file), {}};
  INFO("docs/reference.md is out of date; run: make generate");
  CHECK((in_tree == reference_document()));
}

TEST_CASE("the reference has a chapter for each kind that has a CRD", "[tools][crdgen]") {
  const std::string document = reference_document();
  for (const auto& [name, text] : crd_files(Form::plain)) {
    const auto line = text.find("\n    kind: ") + std::string_view("\n    kind: ").size();
    const std::string kind = text.substr(line, text.find('\n', line) - line);
    INFO(name << ", kind " << kind);
    CHECK(document.find("\n## " + kind + "\n") != std::string::npos);
  }
}

TEST_CASE("what is in a table of the reference does not break it", "[tools][crdgen]") {
  std::istringstream document(reference_document());
  for (std::string line; std::getline(document, line);) {
    if (!line.starts_with("| ")) continue;
    INFO(line);
    std::size_t bars = 0;
    for (std::size_t i = 0; i < line.size(); ++i)
      if (line[i] == '|' && (i == 0 || line[i - 1] != '\\')) ++bars;
    CHECK(bars == 6);
  }
}
