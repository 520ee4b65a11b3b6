#include "sidecar/interrupt.h"

#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace stash::sidecar {

namespace {

/// 0 when it cannot be told (the process is gone, most likely).
pid_t parent_of(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string line;
  std::getline(file, line);
  // "7 (name) S 1 ...", and the name may hold blanks and parentheses.
  const auto end_of_name = line.rfind(')');
  int parent = 0;
  char state = 0;
  if (end_of_name == std::string::npos || std::sscanf(line.c_str() + end_of_name + 1, " %c %d", &state, &parent) != 2)
    return 0;
  return parent;
}

}  // namespace

void interrupt_children() {
  std::error_code problem;
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", problem)) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc{}) continue;
    if (parent_of(name) == ::getpid()) children.push_back(pid);
  }
  // Zombies among them are harmless; each child leads a group of its own.
  for (const pid_t pid : children) ::kill(-pid, SIGINT);
}

}  // namespace stash::sidecar
