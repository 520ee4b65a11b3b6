#include "sidecar/wipe_out.h"

#include <fstream>

#include "api/codec.h"
#include "api/wipe_out.h"
#include "base/log.h"
#include "sidecar/scratch.h"

namespace stash::sidecar {

namespace {

Result<api::Repository> repository_from(const std::string& text) {
  TRY(const Json object, parse_json(text));
  return api::decode<api::Repository>(object);
}

std::vector<std::string> ids_of(const std::vector<Snapshot>& snapshots) {
  std::vector<std::string> ids;
  ids.reserve(snapshots.size());
  for (const Snapshot& snapshot : snapshots) ids.push_back(snapshot.id);
  return ids;
}

/// The sentence of a success.
ResticResult<std::string> remove_all(Restic& restic) {
  const auto found = restic.has_repository();
  if (!found) return std::unexpected(found.error());
  if (!*found) return fmt::format("there is no repository at {}, so there was nothing to remove", restic.location());
  const auto snapshots = restic.snapshots("", "", "");
  if (!snapshots) return std::unexpected(snapshots.error());
  if (const auto removed = restic.remove(ids_of(*snapshots)); !removed) return std::unexpected(removed.error());
  // Also when there was no snapshot: an earlier attempt may have ended between the two.
  if (const auto pruned = restic.prune(); !pruned) return std::unexpected(pruned.error());
  const auto left = restic.snapshots("", "", "");
  if (!left) return std::unexpected(left.error());
  if (!left->empty()) {
    return std::unexpected(ResticFailure{
        ResticCause::unknown,
        fmt::format("{} snapshots were added while the others were removed; something still backs up to {}",
                    left->size(), restic.location())});
  }
  return fmt::format(
      "{} snapshots and all their data were removed from {}; restic's file config and its keys, a few kilobytes "
      "without "
      "any of the data, stay there for you to delete",
      snapshots->size(), restic.location());
}

ResticResult<std::string> run(const ResticPlace& place, const std::string& text, const GoOn& go_on) {
  const auto repository = repository_from(text);
  if (!repository) return std::unexpected(ResticFailure{ResticCause::unknown, repository.error().message});
  if (repository->spec.backend.local) {
    return std::unexpected(ResticFailure{ResticCause::unknown, "the data of a local backend is not removed"});
  }
  const auto version = probe_restic(place);
  if (!version) return std::unexpected(version.error());
  sweep_temporary_files(place.settings.temp_directory, place.settings.cache_directory);
  auto restic = Restic::open(repository->spec.backend, Restic::Access::write, *version, place, go_on);
  if (!restic) return std::unexpected(restic.error());
  return remove_all(*restic);
}

/// restic's remedy for that is of containers in a workload.
std::string sentence_of(const ResticFailure& failure) {
  return failure.cause == ResticCause::out_of_memory ? std::string(api::kWipeOutOutOfMemory) : failure.sentence;
}

}  // namespace

int wipe_out(const ResticPlace& place, const std::string& repository, const std::string& report, const GoOn& go_on) {
  const auto outcome = run(place, repository, go_on);
  const std::string sentence = outcome ? *outcome : sentence_of(outcome.error());
  if (outcome) {
    log_info("{}", sentence);
  } else {
    log_error("{}", sentence);
  }
  std::ofstream(report, std::ios::trunc) << sentence;
  return outcome ? 0 : 1;
}

}  // namespace stash::sidecar
