#include <catch2/catch.hpp>

#include "kube/request.h"

using namespace stash;
using kube::LineSplitter;

namespace {

const std::string kStream = "one\n\ntwo and more\nthree\n";
const std::vector<std::string> kLines = {"one", "", "two and more", "three"};

std::vector<std::string> split(std::initializer_list<std::string_view> chunks) {
  std::vector<std::string> lines;
  LineSplitter splitter;
  for (const std::string_view chunk : chunks) {
    const auto went_on = splitter.feed(chunk, [&lines](std::string_view line) {
      lines.emplace_back(line);
      return true;
    });
    CHECK(went_on.value());
  }
  return lines;
}

}  // namespace

TEST_CASE("a stream gives the same lines wherever it is split", "[kube][watch][F15][I17]") {
  const std::string_view stream = kStream;
  for (std::size_t i = 0; i <= stream.size(); ++i) {
    for (std::size_t j = i; j <= stream.size(); ++j) {
      CHECK(split({stream.substr(0, i), stream.substr(i, j - i), stream.substr(j)}) == kLines);
    }
  }
}

TEST_CASE("a line without its end is not given out", "[kube][watch]") {
  CHECK(split({"one\ntw", "o"}) == std::vector<std::string>{"one"});
}

TEST_CASE("a line over the limit is refused before it is stored", "[kube][watch][F24][I17]") {
  LineSplitter splitter(10);
  const auto take = [](std::string_view) { return true; };
  CHECK(splitter.feed("0123456789\n01234", take).value());
  CHECK(splitter.feed("56789x", take).error().code == ErrorCode::invalid);
}

TEST_CASE("the reader of lines may stop in the middle", "[kube][watch]") {
  LineSplitter splitter;
  int seen = 0;
  CHECK_FALSE(splitter.feed("a\nb\nc\n", [&seen](std::string_view) { return ++seen < 2; }).value());
  CHECK(seen == 2);
}
