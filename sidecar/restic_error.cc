#include "sidecar/restic_error.h"

#include <fmt/format.h>

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
    {ResticCause::damaged, "invalid data returned"},  // a file is not what its name, the hash of its content, says
    {ResticCause::damaged, "pack size does not match calculated size"},
    {ResticCause::damaged, "config file already exists"},
    {ResticCause::damaged, "repository already contains keys"},  // of an init that was cut short, in a bucket
    {ResticCause::locked, "repository is already locked"},
    {ResticCause::disk_full, "no space left on device"},
    {ResticCause::disk_full, "disk quota exceeded"},
    {ResticCause::permission_denied, "permission denied"},
    {ResticCause::permission_denied, "operation not permitted"},
    {ResticCause::permission_denied, "read-only file system"},
    {ResticCause::untrusted, "x509:"},
    // Before the credentials: Google's token server, too, may be the one that does not answer.
    {ResticCause::unreachable, "connection refused"},
    {ResticCause::unreachable, "no such host"},
    {ResticCause::unreachable, "i/o timeout"},
    {ResticCause::unreachable, "connection timed out"},
    {ResticCause::unreachable, "connection reset"},
    {ResticCause::unreachable, "no route to host"},
    {ResticCause::unreachable, "network is unreachable"},
    {ResticCause::unreachable, "server misbehaving"},
    {ResticCause::unreachable, "TLS handshake timeout"},
    {ResticCause::unreachable, "server gave HTTP response to HTTPS client"},
    {ResticCause::unreachable, "Connection closed by foreign host"},
    {ResticCause::unreachable, "Client.Timeout exceeded"},
    // Connections that were there and broke, in the words of Go's net/http; a blank EOF may also be of a short file.
    {ResticCause::unreachable, "transport connection broken"},
    {ResticCause::unreachable, "\": EOF"},
    {ResticCause::unreachable, "\": unexpected EOF"},
    {ResticCause::unreachable, "write: broken pipe"},
    {ResticCause::unreachable, "use of closed network connection"},
    {ResticCause::unreachable, "server closed idle connection"},
    {ResticCause::unreachable, "timeout awaiting response headers"},
    {ResticCause::unreachable, "server sent GOAWAY"},
    {ResticCause::unreachable, "graceful shutdown GOAWAY"},
    {ResticCause::unreachable, "http2: client conn"},
    {ResticCause::unreachable, "stream error: stream ID"},
    {ResticCause::unreachable, "first record does not look like a TLS handshake"},
    {ResticCause::unreachable, ": request timeout"},  // restic's own, since 0.17
    {ResticCause::unreachable, "was not read from or written to within the timeout period"},  // s3
    {ResticCause::wrong_credentials, "signature we calculated does not match"},               // s3
    {ResticCause::wrong_credentials, "Access Key Id you provided does not exist"},
    {ResticCause::wrong_credentials, "access key ID"},
    {ResticCause::wrong_credentials, "access key does not exist"},
    {ResticCause::wrong_credentials, "Access Denied"},
    {ResticCause::wrong_credentials, "AccessDenied"},
    {ResticCause::wrong_credentials, "security token included in the request is"},
    {ResticCause::wrong_credentials, "no credentials found"},
    {ResticCause::wrong_credentials, "unexpected HTTP response (401)"},  // rest
    {ResticCause::wrong_credentials, "unexpected HTTP response (403)"},
    {ResticCause::wrong_credentials, "could not find default credentials"},  // gcs
    {ResticCause::wrong_credentials, "oauth2: cannot fetch token"},
    {ResticCause::wrong_credentials, "googleapi: Error 401"},
    {ResticCause::wrong_credentials, "googleapi: Error 403"},
    {ResticCause::wrong_credentials, "Server failed to authenticate the request"},  // azure
    {ResticCause::wrong_credentials, "AuthenticationFailed"},
    {ResticCause::wrong_credentials, "AuthorizationFailure"},
    {ResticCause::wrong_credentials, "AuthorizationPermissionMismatch"},
    {ResticCause::wrong_credentials, "illegal base64 data"},
    {ResticCause::wrong_credentials, "Authorization Failed"},  // swift
    {ResticCause::wrong_credentials, "Operation forbidden"},
    {ResticCause::wrong_credentials, "b2_authorize_account: 401"},  // b2
    {ResticCause::wrong_credentials, "bad_auth_token"},
    {ResticCause::no_backend,
     "parsing repository location failed: invalid backend"},  // since 0.16: Debian's has no azure
    {ResticCause::no_snapshot, "no matching ID found"},
    {ResticCause::no_snapshot, "no snapshot found"},
    {ResticCause::incomplete, "at least one source file could not be read"},
    {ResticCause::damaged, "repository contains errors"},
    {ResticCause::out_of_memory, "out of memory"},
    {ResticCause::out_of_memory, "cannot allocate memory"},
};

/// What the backends say of a file, or of a bucket, that is not there. Before 0.17 restic reports every failure to open
/// the config file in the same way, a refused connection too, so only these words mean that there is no repository.
constexpr std::string_view kNotThere[] = {
    "no such file or directory",  // local
    "The specified key does not exist",
    "The specified bucket does not exist",  // s3
    "<config/> does not exist",             // rest
    "storage: object doesn't exist",
    "storage: bucket doesn't exist",  // gcs
    "The specified blob does not exist",
    "The specified container does not exist",
    "BlobNotFound",
    "ContainerNotFound",  // azure
    "Object Not Found",
    "Container Not Found",            // swift
    "b2_download_file_by_name: 404",  // b2
};
constexpr std::string_view kRetry = " returned error, retrying after ";

/// The next line of `text`, which loses it.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

bool names_what_is_not_there(std::string_view line) {
  return std::ranges::any_of(kNotThere, [line](std::string_view words) { return line.contains(words); });
}

bool says_not_there(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (!line.contains("unable to open config file") && !line.contains("Stat(<config/>)")) continue;
    if (names_what_is_not_there(line)) return true;
  }
  return false;
}

/// nullopt: these lines do not tell.
std::optional<ResticCause> told_cause(std::string_view text) {
  for (const auto& [cause, words] : kPatterns) {
    if (text.contains(words)) return cause;
  }
  if (says_not_there(text) || text.contains("repository does not exist")) return ResticCause::no_repository;
  return std::nullopt;
}

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
  // What restic tried again may have succeeded then: it tells only where nothing else does.
  std::string ends, retries;
  while (!standard_error.empty()) {
    const std::string_view line = take_line(standard_error);
    (line.contains(kRetry) ? retries : ends).append(line).append("\n");
  }
  if (const auto cause = told_cause(ends)) return *cause;
  return told_cause(retries).value_or(ResticCause::unknown);
}

/// Without what is another one each time: our end of "read tcp 10.0.0.1:43210->10.0.0.2:443: ...", and the time and
/// number of a request to Azure.
std::string stable(std::string line) {
  line.erase(std::min(line.find(", RequestInitiated="), line.size()));
  for (std::size_t arrow = 0; (arrow = line.find("->", arrow)) != std::string::npos;) {
    const auto blank = line.rfind(' ', arrow);
    const auto start = blank == std::string::npos ? 0 : blank + 1;
    line.erase(start, arrow + 2 - start);
    arrow = start;
  }
  return line;
}

/// Where in restic's source it happened, which follows some of its errors: "runtime.goexit", "\t.../snapshot.go:122".
bool is_of_a_stack(std::string_view line) {
  return line.starts_with('\t') || (!line.contains(' ') && line.contains('.'));
}

/// The line that tells most: restic's "Fatal:", its JSON exit_error, else the last one; a retry notice only where there
/// is nothing else, and without its delay.
std::string telling_line(std::string_view text) {
  std::string last, retry;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    // What we ended ourselves; Google's client tells its last error in that line.
    const bool ended_by_us = line.ends_with("context canceled") || line.contains("signal interrupt received");
    if (ended_by_us) continue;
    if (line.starts_with('{')) {
      const auto json = parse_json(line);
      const std::string message = json ? string_at(*json, {"message"}) : "";
      if (message.empty()) continue;
      return message.substr(0, message.find('\n'));
    }
    if (line.starts_with("Fatal: ")) return stable(std::string(line.substr(7)));
    if (const auto notice = line.find(kRetry); notice != std::string_view::npos) {
      const auto colon = line.find(": ", notice);
      if (colon != std::string_view::npos) retry = line.substr(colon + 2);
    } else if (!is_of_a_stack(line)) {
      last = line;
    }
  }
  // After retries, what follows is about where the repository was looked for.
  return stable(retry.empty() ? last : retry);
}

std::string remedy_of(ResticCause cause, std::string_view location, const ResticSubject& subject) {
  const std::string secret = subject.storage_secret.empty() ? "" : fmt::format(" \"{}\"", subject.storage_secret);
  switch (cause) {
    case ResticCause::no_repository:
      return fmt::format("there is no restic repository at {}", location);
    case ResticCause::wrong_password:
      return fmt::format(
          "wrong password for the repository at {}: put the one it was created with into RESTIC_PASSWORD of the "
          "storage Secret{} (mind a trailing newline, which is part of it)",
          location, secret);
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
      return fmt::format("the repository at {} cannot be reached: check its address and the network", location);
    case ResticCause::wrong_credentials:
      return fmt::format(
          "the server of the repository at {} refuses access: correct {} (mind a trailing newline, which is part of a "
          "value), or let them read, list, write and delete there",
          location, subject.credentials.empty() ? "the credentials in the storage Secret" : subject.credentials);
    case ResticCause::untrusted:
      return fmt::format(
          "the certificate of the server of the repository at {} is not trusted: put the certificate of its authority "
          "(PEM) into CA_CERT_DATA of the storage Secret{}",
          location, secret);
    case ResticCause::no_backend:
      return fmt::format(
          "the restic of this image cannot use the repository at {}, for it was built without that backend: use an "
          "image "
          "with another restic (docs/backends.md says which have it)",
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
    case ResticCause::wrong_credentials:
      return "wrong_credentials";
    case ResticCause::untrusted:
      return "untrusted";
    case ResticCause::no_backend:
      return "no_backend";
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

std::vector<std::string> lines_to_log(std::string_view text, const std::vector<std::string>& secrets) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const bool is_empty = line.find_first_not_of(" \t\r") == std::string_view::npos;
    if (!is_empty && !line.contains(kRetry)) lines.push_back(scrub(line, secrets));
  }
  return lines;
}

ResticFailure explain(int exit_code, std::string_view standard_error, const ResticSubject& subject,
                      const std::vector<std::string>& secrets) {
  const ResticCause cause = cause_of(exit_code, standard_error);
  std::string sentence = remedy_of(cause, scrub(subject.location, secrets), subject);
  // Where restic's own words vary from try to try (lock holder, seconds), or add nothing, they stay in the log.
  const bool quote = cause == ResticCause::unknown || cause == ResticCause::damaged ||
                     cause == ResticCause::disk_full || cause == ResticCause::permission_denied ||
                     cause == ResticCause::unreachable || cause == ResticCause::no_snapshot ||
                     cause == ResticCause::wrong_credentials || cause == ResticCause::untrusted;
  if (quote) {
    const std::string line = scrub(telling_line(standard_error), secrets);
    sentence += line.empty() ? fmt::format(" (exit code {})", exit_code) : fmt::format(" ({})", line);
  }
  return {cause, std::move(sentence)};
}

std::optional<ResticCause> cause_of_retry(std::string_view line) {
  if (!line.contains(kRetry)) return std::nullopt;
  return cause_of(kNoExitCode, line);
}

bool is_beyond_retries(ResticCause cause) {
  return cause == ResticCause::wrong_credentials || cause == ResticCause::untrusted ||
         cause == ResticCause::no_repository;
}

bool is_retry_of_what_is_gone(std::string_view line) {
  constexpr std::string_view kByRest = "> does not exist";
  return line.contains(kRetry) && (line.contains(kByRest) || names_what_is_not_there(line));
}

}  // namespace stash::sidecar
