#pragma once
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "cli/kubectl.h"
#include "unit/support/temporary_directory.h"

namespace stash::test {

/// A kubectl that is a shell script; `arguments()` are those of its last call.
class FakeKubectl {
 public:
  explicit FakeKubectl(const std::string& script) {
    std::ofstream(program()) << "#!/bin/sh\nprintf '%s\\n' \"$@\" > " << directory_ / "arguments" << "\n"
                             << script << "\n";
    std::filesystem::permissions(program(), std::filesystem::perms::owner_all);
  }
  cli::Kubectl kubectl(std::string ns = "") const {
    return cli::Kubectl({.program = program(),
                         .kubeconfig = "/k",
                         .context = "c",
                         .ns = std::move(ns),
                         .env = {{"PATH", "/usr/bin:/bin"}}});
  }
  std::string arguments() const {
    std::ifstream file(directory_ / "arguments");
    std::string line, all;
    while (std::getline(file, line)) all += (all.empty() ? "" : " ") + line;
    return all;
  }

 private:
  std::string program() const { return directory_ / "kubectl"; }
  TemporaryDirectory directory_;
};

}  // namespace stash::test
