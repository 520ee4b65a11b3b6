#pragma once
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "unit/support/temporary_directory.h"

namespace stash::test {

/// What is written to standard output and standard error while it lives.
class Captured {
 public:
  Captured() : output_(STDOUT_FILENO, directory_ / "output"), error_(STDERR_FILENO, directory_ / "error") {}
  std::string output() const { return content(directory_ / "output"); }
  std::string error() const { return content(directory_ / "error"); }

 private:
  class Redirected {
   public:
    Redirected(int fd, const std::string& file) : fd_(fd), kept_(::dup(fd)) {
      std::fflush(nullptr);
      const int opened = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
      ::dup2(opened, fd_);
      ::close(opened);
    }
    ~Redirected() {
      std::fflush(nullptr);
      ::dup2(kept_, fd_);
      ::close(kept_);
    }
    Redirected(const Redirected&) = delete;
    Redirected& operator=(const Redirected&) = delete;

   private:
    int fd_, kept_;
  };
  static std::string content(const std::string& file) {
    std::fflush(nullptr);
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  TemporaryDirectory directory_;
  Redirected output_, error_;
};

}  // namespace stash::test
