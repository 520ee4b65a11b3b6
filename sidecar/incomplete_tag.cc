#include "sidecar/incomplete_tag.h"

#include "base/log.h"

namespace stash::sidecar {

ResticResult<std::string> tag_incomplete(Restic& restic, const std::string& snapshot, const std::string& host,
                                         const std::string& path, const std::string& session_tag) {
  if (const auto tagged = restic.add_tag(snapshot, kIncompleteTag); !tagged) return std::unexpected(tagged.error());
  auto found = restic.snapshots(host, path, session_tag);
  if (!found) return std::unexpected(found.error());
  const auto untagged = [](const Snapshot& other) { return !is_incomplete(other); };
  std::erase_if(*found, untagged);
  const Snapshot* marked = newest(*found);
  if (marked == nullptr) return std::unexpected(ResticFailure{ResticCause::unknown, "restic did not tag it"});
  log_info("snapshot {} lacks files; tagged {} it is {}", snapshot, kIncompleteTag, marked->short_id);
  return marked->short_id;
}

}  // namespace stash::sidecar
