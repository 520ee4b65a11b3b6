// Whatever restic, or something in its place, prints: the first byte is the exit code, the rest goes to every parser.
#include "sidecar/found_nodes.h"
#include "sidecar/lock_owner.h"
#include "sidecar/restic_error.h"
#include "sidecar/restic_output.h"
#include "sidecar/restic_version.h"
#include "unit/fuzz/fuzz.h"

using namespace stash;

namespace {

const std::vector<std::string> kSecrets = {"hunter2-hunter2"};

void check_scrubbed(const std::string& text) {
  MUST(text.find(kSecrets[0]) == std::string::npos, text);
  for (const char c : text) MUST(static_cast<unsigned char>(c) >= 0x20, text);
}

/// What is found of them, when they come in pieces of that size; and whether that was all.
std::pair<std::vector<sidecar::FoundNode>, bool> nodes_in(std::string_view output, std::size_t piece) {
  std::vector<sidecar::FoundNode> found;
  sidecar::FoundNodes nodes([&found](const sidecar::FoundNode& node) { found.push_back(node); });
  for (; !output.empty(); output.remove_prefix(std::min(piece, output.size()))) nodes.feed(output.substr(0, piece));
  return {found, nodes.complete()};
}

void check_locks(std::string_view output) {
  if (const auto owner = sidecar::parse_lock_owner(output)) {
    // It becomes the beginning of a file's name.
    MUST(owner->lock.size() >= 8 && owner->lock.find_first_not_of("0123456789abcdef") == std::string::npos,
         owner->lock);
    sidecar::is_dead(*owner, {});
  }
  const std::string id(64, 'a');
  if (const auto lock = sidecar::parse_lock(id, output)) {
    MUST(lock->owner.lock == id);
    MUST(!sidecar::why_left(*lock, "web-0", false, TimePoint()).empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view output = fuzz::text_of(data, size);
  const int exit_code = static_cast<int>(fuzz::take_number(output, 256)) - 1;

  sidecar::BackupOutput backup;
  sidecar::UnreadableOutput unreadable;
  std::string_view lines = output;
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    backup.feed(lines.substr(0, end));
    unreadable.feed(lines.substr(0, end));
    sidecar::cause_of_retry(lines.substr(0, end));
    if (const auto status = sidecar::parse_status(lines.substr(0, end)))
      MUST(!status->remaining || status->remaining->count() >= 0);
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  if (backup.summary()) sidecar::snapshot_stats("/data", *backup.summary());

  MUST(unreadable.files().first.size() <= unreadable.files().count);
  sidecar::describe(unreadable.files());
  if (const auto snapshots = sidecar::parse_snapshots(output)) {
    MUST((sidecar::newest(*snapshots) == nullptr) == snapshots->empty());
    for (const auto& snapshot : *snapshots) MUST(!snapshot.id.empty());
  }
  if (const auto forgotten = sidecar::parse_forget(output)) MUST(forgotten->kept >= 0 && forgotten->removed >= 0);
  sidecar::parse_stats(output);
  sidecar::parse_restore_size(output);
  MUST(nodes_in(output, 1) == nodes_in(output, 4'096));
  check_locks(output);
  sidecar::only_above(sidecar::parse_restore_errors(output), {"/data/a", "/"});
  if (const auto version = sidecar::parse_restic_version(output)) sidecar::to_string(*version);

  const auto failure = sidecar::explain(exit_code, output, {"s3:host/bucket", "secret", "AWS_ACCESS_KEY_ID"}, kSecrets);
  MUST(!failure.sentence.empty());
  check_scrubbed(failure.sentence);
  const std::string scrubbed = sidecar::scrub(output, kSecrets);
  check_scrubbed(scrubbed);
  MUST(scrubbed.size() <= 403, scrubbed);  // with the dots that say that it goes on
  return 0;
}
