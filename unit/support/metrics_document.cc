#include "unit/support/metrics_document.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

namespace stash::test {
namespace {

constexpr const char* kDocument = STASH_SOURCE_DIR "/docs/metrics.md";

struct Family {
  std::string type, help;
  std::set<std::string> labels;
};

/// Names of the labels in "name{a=\"1\",b=\"x\"} 2"; a histogram's own `le` is none of them.
void add_labels(std::string_view line, std::set<std::string>& labels) {
  std::string name;
  bool quoted = false;
  for (std::size_t i = line.find('{') + 1; i < line.size() && (quoted || line[i] != '}'); ++i) {
    if (quoted) {
      if (line[i] == '\\') ++i;
      quoted = line[i] != '"';
    } else if (line[i] == '=') {
      if (name != "le") labels.insert(name);
      name.clear();
    } else if (line[i] == '"') {
      quoted = true;
    } else if (line[i] != ',') {
      name += line[i];
    }
  }
}

std::map<std::string, Family> families_of(std::string_view exposition) {
  std::map<std::string, Family> families;
  std::istringstream lines{std::string(exposition)};
  std::string current;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash, what, rest;
    if (!line.starts_with('#')) {
      if (line.find('{') != std::string::npos) add_labels(line, families[current].labels);
      continue;
    }
    words >> hash >> what >> current;
    std::getline(words >> std::ws, rest);
    (what == "HELP" ? families[current].help : families[current].type) = rest;
  }
  return families;
}

std::string row_of(const std::string& name, const Family& family) {
  std::vector<std::string> labels;
  for (const std::string& label : family.labels) labels.push_back(fmt::format("`{}`", label));
  return fmt::format("| `{}` | {} | {} | {} |", name, family.type, fmt::join(labels, ", "), family.help);
}

std::string read_document() {
  std::ifstream file(kDocument);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::vector<std::string> wrong_rows(std::string_view exposition) {
  std::string document = read_document();
  std::vector<std::string> wrong;
  bool rewritten = false;
  for (const auto& [name, family] : families_of(exposition)) {
    const std::string row = row_of(name, family);
    const auto begin = document.find(fmt::format("\n| `{}` |", name));
    if (begin == std::string::npos) {
      wrong.push_back(row);
      continue;
    }
    const auto length = document.find('\n', begin + 1) - begin - 1;
    if (document.compare(begin + 1, length, row) == 0) continue;
    if (std::getenv("UPDATE_GOLDEN") == nullptr) {
      wrong.push_back(row);
      continue;
    }
    document.replace(begin + 1, length, row);
    rewritten = true;
  }
  if (rewritten) std::ofstream(kDocument) << document;
  return wrong;
}

}  // namespace stash::test
