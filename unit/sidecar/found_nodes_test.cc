#include "sidecar/found_nodes.h"

#include <catch2/catch.hpp>
#include <vector>

namespace stash::sidecar {
namespace {

// Recorded from restic 0.14.0, but for times and owners.
constexpr std::string_view kFound =
    R"([{"matches":[{"path":"/data","permissions":"drwxr-xr-x","type":"dir","mode":2147484141,"device_id":65024},)"
    R"({"path":"/data/bad\ufffd","permissions":"-rw-r--r--","type":"file","mode":420,"size":2,"links":2},)"
    R"({"path":"/data/l","permissions":"Lrwxrwxrwx","type":"symlink","links":1,"linktarget":"}]\"{\\"}],)"
    R"("hits":3,"snapshot":"b90bac3bd535ed6c94cf061653042de31ae625941a0d3b331899d8f30d6c5870"}])";

struct Heard {
  std::vector<FoundNode> nodes;
  FoundNodes found{[this](const FoundNode& node) { nodes.push_back(node); }};
};

TEST_CASE("what restic finds is told node by node, however its one line is cut into pieces", "[sidecar][found_nodes]") {
  const auto length = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{1'000});
  Heard heard;
  for (std::size_t i = 0; i < kFound.size(); i += length) {
    CHECK_FALSE(heard.found.complete());
    heard.found.feed(kFound.substr(i, length));
  }
  CHECK(heard.found.complete());
  CHECK(heard.nodes ==
        std::vector<FoundNode>{{"/data", "dir", 0}, {"/data/bad\xEF\xBF\xBD", "file", 2}, {"/data/l", "symlink", 1}});
}

TEST_CASE("an empty snapshot is told completely", "[sidecar][found_nodes]") {
  Heard heard;
  heard.found.feed("[]\n");
  CHECK(heard.found.complete());
  CHECK(heard.nodes.empty());
}

TEST_CASE("what is cut, is no node or does not end is not taken for all that there is",
          "[sidecar][found_nodes][F41][I13]") {
  Heard heard;
  SECTION("nothing") {}
  SECTION("cut") { heard.found.feed(kFound.substr(0, kFound.size() / 2)); }
  SECTION("no node") { heard.found.feed(R"([{"matches":[{"path":17}]}])"); }
  SECTION("no JSON") { heard.found.feed(R"([{"matches":[{path}]}])"); }
  SECTION("endless") {
    heard.found.feed(R"([{"matches":[{"path":")");
    for (int i = 0; i < 1'000; ++i) heard.found.feed(std::string(1'000, 'x'));
    heard.found.feed(R"(","type":"dir"}]}])");
  }
  CHECK_FALSE(heard.found.complete());
  CHECK(heard.nodes.size() < 3);
}

}  // namespace
}  // namespace stash::sidecar
