#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <string>

using namespace stash;

namespace {

/// What is written to standard error while it lives.
class StandardError {
 public:
  StandardError() : saved_(::dup(STDERR_FILENO)) {
    REQUIRE(::pipe(ends_.data()) == 0);
    ::dup2(ends_[1], STDERR_FILENO);
  }
  std::string end() {
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    ::close(ends_[1]);
    std::string text(4'096, '\0');
    const ssize_t count = ::read(ends_[0], text.data(), text.size());
    ::close(ends_[0]);
    text.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return text;
  }

 private:
  std::array<int, 2> ends_{};
  int saved_;
};

}  // namespace

TEST_CASE("a message is one line, whatever is in it", "[base][log]") {
  StandardError captured;
  log_warning("name {}", "a\nb\x1b[2J");
  const std::string line = captured.end();
  CHECK(line.substr(20) == " warning name a\\nb\\x1b[2J\n");
  CHECK(line.substr(19, 1) == "Z");
}

TEST_CASE("what is below the level is not written", "[base][log]") {
  StandardError captured;
  set_log_level(LogLevel::error);
  log_warning("not this");
  log_error("but this");
  set_log_level(LogLevel::info);
  log_debug("nor this");
  CHECK(captured.end().substr(20) == " error but this\n");
}
