#include "sidecar/disk_flush.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <future>
#include <system_error>

namespace stash::sidecar {

namespace {

Result<void> flush_one(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return {};
  if (fd < 0) {
    ::sync();  // of all file systems: for this, nobody asks who may read what
    return {};
  }
  const int problem = ::syncfs(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (problem == 0) return {};
  return fail(ErrorCode::unreachable, fmt::format("the disk of {} did not take what was written: {}", directory,
                                                  std::generic_category().message(problem)));
}

}  // namespace

Result<void> flush_to_disk(const std::vector<std::string>& directories, const std::function<void()>& meanwhile) {
  auto flushed = std::async(std::launch::async, [&directories]() -> Result<void> {
    for (const std::string& directory : directories) TRY_VOID(flush_one(directory));
    return {};
  });
  while (flushed.wait_for(std::chrono::seconds(1)) != std::future_status::ready) meanwhile();
  return flushed.get();
}

}  // namespace stash::sidecar
