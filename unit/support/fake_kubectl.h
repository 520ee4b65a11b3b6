#pragma once
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/json.h"
#include "cli/kubectl.h"
#include "unit/support/temporary_directory.h"

namespace stash::test {

/// A kubectl that is a shell script; `arguments()` are those of its last call, `calls()` those of all, one a line.
class FakeKubectl {
 public:
  explicit FakeKubectl(const std::string& script) {
    std::ofstream(program()) << "#!/bin/sh\nprintf '%s\\n' \"$*\" >> " << directory_ / "calls" << "\n"
                             << script << "\n";
    std::filesystem::permissions(program(), std::filesystem::perms::owner_all);
  }
  /// What the script can `cat` by this name, for it runs in this directory.
  void put(const std::string& name, const Json& object) const { std::ofstream(directory_ / name) << object; }

  cli::Kubectl kubectl(std::string ns = "") const {
    return cli::Kubectl({.program = program(),
                         .kubeconfig = "/k",
                         .context = "c",
                         .ns = std::move(ns),
                         .env = {{"PATH", "/usr/bin:/bin"}, {"HERE", directory()}}});
  }
  std::string directory() const { return directory_ / "."; }
  std::string calls() const {
    std::ifstream file(directory_ / "calls");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string arguments() const {
    std::string all = calls();
    if (all.ends_with('\n')) all.pop_back();
    return all.substr(all.rfind('\n') + 1);
  }

 private:
  std::string program() const { return directory_ / "kubectl"; }
  TemporaryDirectory directory_;
};

}  // namespace stash::test
