#include "base/failpoint.h"

#ifdef STASH_FAILPOINTS

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>

namespace stash {

namespace {

std::string place_of(const std::string& name) {
  std::size_t end = 0;
  for (int words = 0; words < 3 && end != std::string::npos; ++words) end = name.find(' ', end == 0 ? 0 : end + 1);
  return name.substr(0, end);
}

}  // namespace

void pass_failpoint(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, int> passed;
  const std::lock_guard lock(mutex);
  const std::string place = place_of(name);
  const int count = ++passed[place];
  if (const char* log = std::getenv("STASH_FAILPOINT_LOG")) std::ofstream(log, std::ios::app) << place << '\n';
  const char* chosen = std::getenv("STASH_FAILPOINT");
  if (chosen != nullptr && place + ":" + std::to_string(count) == chosen) std::raise(SIGKILL);
}

}  // namespace stash

#endif
