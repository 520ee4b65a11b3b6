// Whatever restic, or something in its place, prints: the first byte is the exit code, the rest goes to every parser.
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view output = fuzz::text_of(data, size);
  const int exit_code = static_cast<int>(fuzz::take_number(output, 256)) - 1;

  sidecar::BackupOutput backup;
  std::string_view lines = output;
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    backup.feed(lines.substr(0, end));
    sidecar::cause_of_retry(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  if (backup.summary()) sidecar::snapshot_stats("/data", *backup.summary());

  const auto unreadable = sidecar::parse_unreadable(output);
  MUST(unreadable.first.size() <= unreadable.count);
  sidecar::describe(unreadable);
  if (const auto snapshots = sidecar::parse_snapshots(output)) {
    MUST((sidecar::newest(*snapshots) == nullptr) == snapshots->empty());
    for (const auto& snapshot : *snapshots) MUST(!snapshot.id.empty());
  }
  if (const auto forgotten = sidecar::parse_forget(output)) MUST(forgotten->kept >= 0 && forgotten->removed >= 0);
  sidecar::parse_stats(output);
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
