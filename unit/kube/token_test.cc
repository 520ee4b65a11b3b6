#include "kube/token.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "unit/support/fake_clock.h"

using namespace stash;
using kube::Token;

namespace {

/// A file of its own that is removed afterwards.
class TokenFile {
 public:
  explicit TokenFile(const std::string& text) { write(text); }
  ~TokenFile() { remove(); }
  void write(const std::string& text) const { std::ofstream(path_) << text; }
  void remove() const { std::filesystem::remove(path_); }
  kube::Config config() const { return {.token_file = path_}; }

 private:
  std::string path_ = std::filesystem::temp_directory_path() / ("stash-token-test-" + std::to_string(::getpid()));
};

}  // namespace

TEST_CASE("a static token is sent as it is, and none is none", "[kube][token]") {
  FakeClock clock;
  CHECK(Token({.token = "abc"}).get(clock.steady()).value() == "abc");
  CHECK(Token({}).get(clock.steady()).value().empty());
}

TEST_CASE("a token file is read again when it was read 60 seconds ago", "[kube][token]") {
  FakeClock clock;
  const TokenFile file("old\n");
  Token token(file.config());
  CHECK(token.get(clock.steady()).value() == "old");
  file.write("new\n");
  clock.advance(std::chrono::seconds(59));
  CHECK(token.get(clock.steady()).value() == "old");
  clock.advance(std::chrono::seconds(1));
  CHECK(token.get(clock.steady()).value() == "new");
}

TEST_CASE("a token that was refused is read again at once", "[kube][token][F20][I6]") {
  FakeClock clock;
  const TokenFile file("old");
  Token token(file.config());
  CHECK(token.get(clock.steady()).value() == "old");
  file.write("new");
  token.distrust();
  CHECK(token.get(clock.steady()).value() == "new");
}

TEST_CASE("while the file cannot be read the last token stays; without one it is unreachable",
          "[kube][token][F20][I6]") {
  FakeClock clock;
  const TokenFile file("old");
  Token token(file.config());
  CHECK(token.get(clock.steady()).value() == "old");
  file.remove();
  clock.advance(std::chrono::seconds(61));
  CHECK(token.get(clock.steady()).value() == "old");
  CHECK(Token(file.config()).get(clock.steady()).error().code == ErrorCode::unreachable);
}
