#include "sidecar/restic_error.h"

#include <algorithm>
#include <cctype>

#include "base/json.h"

namespace stash::sidecar {

namespace {

constexpr std::size_t kQuoted = 400;

struct Pattern {
  ResticCause cause;
  std::string_view text;
};
/// The first that occurs decides: a wrong password must win over anything that could look like a missing repository.
constexpr Pattern kPatterns[] = {
    {ResticCause::wrong_password, "wrong password or no key found"},
    {ResticCause::wrong_password, "an empty password is not a password"},
    {ResticCause::damaged, "ciphertext verification failed"},
    {ResticCause::damaged, "is damaged"},
    {ResticCause::damaged, "config file already exists"},
    {ResticCause::locked, "repository is already locked"},
    {ResticCause::locked, "unable to create lock in backend"},
    {ResticCause::disk_full, "no space left on device"},
    {ResticCause::disk_full, "disk quota exceeded"},
    {ResticCause::permission_denied, "permission denied"},
    {ResticCause::permission_denied, "operation not permitted"},
    {ResticCause::permission_denied, "read-only file system"},
    {ResticCause::no_repository, "Is there a repository at the following location"},
    {ResticCause::no_repository, "repository does not exist"},
    {ResticCause::no_snapshot, "no matching ID found"},
    {ResticCause::no_snapshot, "no snapshot found"},
    {ResticCause::incomplete, "at least one source file could not be read"},
    {ResticCause::damaged, "repository contains errors"},
    {ResticCause::out_of_memory, "out of memory"},
    {ResticCause::out_of_memory, "cannot allocate memory"},
    {ResticCause::unreachable, "connection refused"},
    {ResticCause::unreachable, "no such host"},
    {ResticCause::unreachable, "i/o timeout"},
    {ResticCause::unreachable, "network is unreachable"},
    {ResticCause::unreachable, "x509:"},
};

ResticCause cause_of(int exit_code, std::string_view standard_error) {
  switch (exit_code) {
    case 3:
      return ResticCause::incomplete;
    case 10:
      return ResticCause::no_repository;
    case 11:
      return ResticCause::locked;
    case 12:
      return ResticCause::wrong_password;
    case 130:
      return ResticCause::interrupted;
    case 137:
      return ResticCause::out_of_memory;
    case 143:
      return ResticCause::interrupted;
    default:
      break;
  }
  for (const auto& [cause, text] : kPatterns) {
    if (standard_error.contains(text)) return cause;
  }
  return ResticCause::unknown;
}

/// The line that tells most: restic's "Fatal:", its JSON exit_error, else the last one that is no retry notice.
std::string telling_line(std::string_view text) {
  std::string last;
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (line.starts_with('{')) {
      const auto json = parse_json(line);
      const std::string message = json ? string_at(*json, {"message"}) : "";
      if (message.empty()) continue;
      return message.substr(0, message.find('\n'));
    }
    if (line.starts_with("Fatal: ")) return std::string(line.substr(7));
    if (!line.contains("returned error, retrying after")) last = line;
  }
  return last;
}

std::string remedy_of(ResticCause cause, std::string_view location, std::string_view storage_secret) {
  switch (cause) {
    case ResticCause::no_repository:
      return fmt::format("there is no restic repository at {}", location);
    case ResticCause::wrong_password:
      return fmt::format(
          "wrong password for the repository at {}: put the one it was created with into RESTIC_PASSWORD of the "
          "storage Secret{} (mind a trailing newline, which is part of it)",
          location, storage_secret.empty() ? "" : fmt::format(" \"{}\"", storage_secret));
    case ResticCause::locked:
      return fmt::format(
          "the repository at {} is locked: another backup, check or prune is under way, or one died within the last "
          "30 minutes; the next session tries again. If nothing else uses it, `restic unlock` removes a stale lock",
          location);
    case ResticCause::incomplete:
      return "the snapshot is incomplete";
    case ResticCause::damaged:
      return fmt::format(
          "the repository at {} is damaged: run `restic check` against it, and restore its files from a copy or repair "
          "it; nothing was forgotten or pruned",
          location);
    case ResticCause::disk_full:
      return "no space is left on the repository's volume or in the container's /tmp: enlarge it, or keep fewer "
             "snapshots";
    case ResticCause::permission_denied:
      return fmt::format(
          "permission denied: the container's user may not use the repository at {} or the data; set "
          "runtimeSettings.container.securityContext, or change the owner of the files",
          location);
    case ResticCause::no_snapshot:
      return "no such snapshot";
    case ResticCause::out_of_memory:
      return "restic was killed, most likely for lack of memory: raise "
             "runtimeSettings.container.resources.limits.memory";
    case ResticCause::interrupted:
      return "restic was interrupted";
    case ResticCause::unreachable:
      return fmt::format("the repository at {} cannot be reached: check its address, the network and its certificate",
                         location);
    case ResticCause::unknown:
      return "restic failed";
  }
  return "restic failed";
}

void hide_user_info(std::string& text) {
  std::size_t start = 0;
  while ((start = text.find("://", start)) != std::string::npos) {
    start += 3;
    const auto end = text.find_first_of("/ \t\n\"'", start);
    const auto authority = std::string_view(text).substr(start, end == std::string::npos ? end : end - start);
    const auto at_sign = authority.rfind('@');
    if (at_sign != std::string_view::npos) text.replace(start, at_sign, "***");
  }
}

}  // namespace

std::string_view to_string(ResticCause cause) {
  switch (cause) {
    case ResticCause::no_repository:
      return "no_repository";
    case ResticCause::wrong_password:
      return "wrong_password";
    case ResticCause::locked:
      return "locked";
    case ResticCause::incomplete:
      return "incomplete";
    case ResticCause::damaged:
      return "damaged";
    case ResticCause::disk_full:
      return "disk_full";
    case ResticCause::permission_denied:
      return "permission_denied";
    case ResticCause::no_snapshot:
      return "no_snapshot";
    case ResticCause::out_of_memory:
      return "out_of_memory";
    case ResticCause::interrupted:
      return "interrupted";
    case ResticCause::unreachable:
      return "unreachable";
    case ResticCause::unknown:
      return "unknown";
  }
  return "unknown";
}

std::string scrub(std::string_view text, const std::vector<std::string>& secrets) {
  std::string clean(text);
  for (const std::string& secret : secrets) {
    if (secret.empty()) continue;
    for (std::size_t start = 0; (start = clean.find(secret, start)) != std::string::npos; start += 3) {
      clean.replace(start, secret.size(), "***");
    }
  }
  hide_user_info(clean);
  std::ranges::replace_if(clean, [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
  if (clean.size() > kQuoted) {
    clean.resize(kQuoted);
    // Not in the middle of a UTF-8 sequence.
    while (!clean.empty() && (static_cast<unsigned char>(clean.back()) & 0xC0) == 0x80) clean.pop_back();
    if (!clean.empty() && static_cast<unsigned char>(clean.back()) >= 0xC0) clean.pop_back();
    clean += "...";
  }
  return clean;
}

ResticFailure explain(int exit_code, std::string_view standard_error, std::string_view location,
                      const std::vector<std::string>& secrets, std::string_view storage_secret) {
  const ResticCause cause = cause_of(exit_code, standard_error);
  std::string sentence = remedy_of(cause, scrub(location, secrets), storage_secret);
  // Where restic's own words vary from try to try (lock holder, seconds), or add nothing, they stay in the log.
  const bool quote = cause == ResticCause::unknown || cause == ResticCause::damaged ||
                     cause == ResticCause::disk_full || cause == ResticCause::permission_denied ||
                     cause == ResticCause::unreachable || cause == ResticCause::no_snapshot;
  if (quote) {
    const std::string line = scrub(telling_line(standard_error), secrets);
    sentence += line.empty() ? fmt::format(" (exit code {})", exit_code) : fmt::format(" ({})", line);
  }
  return {cause, std::move(sentence)};
}

}  // namespace stash::sidecar
