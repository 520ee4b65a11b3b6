#include "sidecar/left_frozen.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "api/codec.h"
#include "base/backoff.h"
#include "base/log.h"
#include "sidecar/hook_run.h"

namespace stash::sidecar {
namespace {

constexpr int kTries = 5;
constexpr std::chrono::milliseconds kLongest{10'000};
constexpr std::size_t kMaxNote = 4u << 20;  // etcd takes less

struct Note {
  std::string session_uid;
  api::Hook thaw;
};

std::string note_path(const Context& context) { return context.restic.settings.home + "/frozen.json"; }

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// For nobody else: a hook's headers and body may be secret.
bool write_file(const std::string& path, const std::string& text) {
  const std::string beside = path + ".new";
  ::unlink(beside.c_str());
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0) return false;
  const bool whole = write_all(fd, text);
  return ::close(fd) == 0 && whole && std::rename(beside.c_str(), path.c_str()) == 0;
}

/// "" when it is empty, too large, or no file.
std::string content_of(int fd) {
  struct stat found{};
  if (::fstat(fd, &found) != 0 || !S_ISREG(found.st_mode) || found.st_size > static_cast<off_t>(kMaxNote)) return "";
  std::string text(static_cast<std::size_t>(found.st_size), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t got = ::read(fd, text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return "";
    have += static_cast<std::size_t>(got);
  }
  return text;
}

std::optional<Note> parse_note(const std::string& text) {
  const auto json = parse_json(text);
  if (!json) return std::nullopt;
  const auto configuration = api::decode<api::BackupConfiguration>(object_at(*json, {"configuration"}));
  const std::string uid = string_at(*json, {"sessionUID"});
  if (!configuration || !configuration->spec.post_backup || uid.empty()) return std::nullopt;
  return Note{uid, *configuration->spec.post_backup};
}

std::optional<Note> read_note(const Context& context) {
  const int fd = ::open(note_path(context).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return std::nullopt;
  auto note = fd < 0 ? std::nullopt : parse_note(content_of(fd));
  if (fd >= 0) ::close(fd);
  if (!note) {
    log_warning("{} does not say what is frozen, and is removed", note_path(context));
    ::unlink(note_path(context).c_str());
  }
  return note;
}

Result<void> run_patiently(Context& context, const HookCall& call) {
  const auto go_on = [&context] { return !context.stop(); };
  Backoff backoff;
  for (int tries = 1;; ++tries) {
    auto ended = send_hook(call, go_on);
    if (ended || tries == kTries || context.stop()) return ended;
    log_warning("{}; trying again", failed_hook(call, HookPlace::sidecar, ended.error()));
    context.pause(backoff.next());
  }
}

}  // namespace

void note_frozen(const Context& context, const std::string& session_uid,
                 const api::BackupConfiguration& configuration) {
  const auto& thaw = configuration.spec.post_backup;
  if (!thaw || thaw->exec) return;
  api::BackupConfiguration kept;
  kept.metadata.name = configuration.metadata.name;
  kept.metadata.ns = configuration.metadata.ns;
  kept.spec.repository = configuration.spec.repository;
  kept.spec.post_backup = thaw;
  const Json note{{"sessionUID", session_uid}, {"configuration", api::encode(kept)}};
  if (!write_file(note_path(context), dump_json(note)))
    log_warning("{}: {}; should this container be killed, the application may stay frozen", note_path(context),
                std::strerror(errno));
}

void note_thawed(const Context& context, const std::string& session_uid) {
  if (left_frozen_for(context) == session_uid) ::unlink(note_path(context).c_str());
}

std::optional<std::string> left_frozen_for(const Context& context) {
  const auto note = read_note(context);
  return note ? std::optional(note->session_uid) : std::nullopt;
}

void thaw_left_frozen(Context& context) {
  const auto note = read_note(context);
  if (!note) return;
  auto call = plan_hook("postBackup", note->thaw, HookPlace::sidecar);
  if (call && call->kind != HookCall::Kind::exec && is_wanted(note->thaw.execution_policy, false, /*retries_left=*/0)) {
    call->timeout = std::min(call->timeout, kLongest);  // sessions wait meanwhile
    log_info("running the hook {} for a session that ended while this container was away", call->action);
    const auto ended = run_patiently(context, *call);
    if (!ended && context.stop()) return;
    if (!ended) log_error("{}; the application may be frozen", failed_hook(*call, HookPlace::sidecar, ended.error()));
  }
  ::unlink(note_path(context).c_str());
}

}  // namespace stash::sidecar
