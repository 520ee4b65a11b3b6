#include "sidecar/entries_in_the_way.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "sidecar/restic_output.h"

namespace stash::sidecar {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// An open directory.
class Directory {
 public:
  explicit Directory(int fd) : fd_(fd) {}
  Directory(Directory&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Directory& operator=(Directory&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Directory() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_;
};

bool exists(const Directory& directory, const std::string& name) {
  struct stat found{};
  return ::fstatat(directory.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0;
}

/// How many bytes the character takes that `text` begins with; 0: they are no UTF-8.
std::size_t length_of_character(std::string_view text) {
  const auto byte = [&text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&byte](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first < 0xF0) {
    const bool overlong = first == 0xE0 && second < 0xA0, surrogate = first == 0xED && second >= 0xA0;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first < 0xF5) {
    const bool overlong = first == 0xF0 && second < 0x90, beyond = first == 0xF4 && second >= 0x90;
    return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

/// The name as restic, a Go program, writes it in JSON.
std::string as_restic_writes(std::string_view name) {
  std::string written;
  while (!name.empty()) {
    const std::size_t length = length_of_character(name);
    written += length == 0 ? kReplacement : name.substr(0, length);
    name.remove_prefix(std::max<std::size_t>(1, length));
  }
  return written;
}

/// The name in the directory that restic wrote as `written`; "" when there is none, or several.
std::string name_of(const Directory& directory, const std::string& written) {
  if (!written.contains(kReplacement) || exists(directory, written)) return written;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(
      ::fdopendir(::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)), ::closedir);
  std::string found;
  while (const dirent* entry = entries ? ::readdir(entries.get()) : nullptr) {
    const std::string name = static_cast<const char*>(entry->d_name);
    if (as_restic_writes(name) != written) continue;
    if (!found.empty()) return "";
    found = name;
  }
  return found;
}

struct Place {
  Directory directory;
  std::string name;
};

/// Where the path leads from its volume down; a directory that is not open: to no entry.
Place place_of(std::string_view path, const std::vector<std::string>& volumes) {
  const auto volume = std::ranges::find_if(volumes, [path](const std::string& v) { return is_above(v, path); });
  if (volume == volumes.end()) return {Directory(-1), ""};
  Directory directory(::open(volume->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::string name;
  for (const fs::path& part : fs::path(path.substr(volume->size())).relative_path()) {
    if (!name.empty()) {
      directory = Directory(::openat(directory.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    }
    if (!directory.open()) break;
    name = name_of(directory, part);
    if (name.empty() || name == "..") return {Directory(-1), ""};
  }
  return {std::move(directory), std::move(name)};
}

}  // namespace

bool hold_entries(const std::vector<std::string>& directories) {
  return std::ranges::any_of(directories, [](const std::string& directory) {
    std::error_code problem;
    for (fs::recursive_directory_iterator entry(directory, problem), end; !problem && entry != end;
         entry.increment(problem)) {
      if (entry->is_symlink(problem) || !entry->is_directory(problem)) return true;
    }
    // What cannot be looked at may hold some.
    return problem && problem != std::errc::no_such_file_or_directory;
  });
}

bool wants_an_empty_place(const FoundNode& node) {
  constexpr std::array<std::string_view, 4> kMade{"symlink", "fifo", "dev", "chardev"};
  return node.type == "file" ? node.links > 1 : std::ranges::find(kMade, node.type) != kMade.end();
}

bool has_entry(std::string_view path, const std::vector<std::string>& volumes) {
  const Place place = place_of(path, volumes);
  struct stat found{};
  return place.directory.open() &&
         ::fstatat(place.directory.get(), place.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 &&
         !S_ISDIR(found.st_mode);
}

bool remove_entry(std::string_view path, const std::vector<std::string>& volumes) {
  const Place place = place_of(path, volumes);
  if (!place.directory.open()) return false;
  if (::unlinkat(place.directory.get(), place.name.c_str(), 0) == 0) return true;
  if (errno != ENOENT && errno != EISDIR)
    log_warning("{} could not be removed: {}", path, std::generic_category().message(errno));
  return false;
}

bool make_writable(std::string_view path, const std::vector<std::string>& volumes) {
  const auto volume = std::ranges::find(volumes, path);
  const Place place =
      volume != volumes.end()
          ? Place{.directory = Directory(::open(volume->c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)), .name = "."}
          : place_of(path, volumes);
  struct stat found{};
  if (!place.directory.open() || ::fstatat(place.directory.get(), place.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0)
    return false;
  if (found.st_uid != ::geteuid() || !(S_ISDIR(found.st_mode) || S_ISREG(found.st_mode))) return false;
  const mode_t wanted = S_ISDIR(found.st_mode) ? S_IRWXU : S_IRUSR | S_IWUSR;
  if ((found.st_mode & wanted) == wanted) return false;
  return ::fchmodat(place.directory.get(), place.name.c_str(), (found.st_mode & 07777U) | wanted,
                    AT_SYMLINK_NOFOLLOW) == 0;
}

}  // namespace stash::sidecar
