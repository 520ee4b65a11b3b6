#include "sidecar/restic.h"

/// A directory of a snapshot as an archive.
namespace stash::sidecar {

ResticResult<std::string> Restic::type_at(const std::string& snapshot, const std::string& path) {
  std::string type;
  const auto note = [&](std::string_view line) {
    const auto node = parse_json(line);
    if (node && string_at(*node, {"path"}) == path) type = string_at(*node, {"type"});
  };
  const auto run = run_once(ls_arguments(snapshot, path), {.on_line = note, .on_tick = {}});
  if (!run) return std::unexpected(run.error());
  if (run->exit_code != 0 || run->stopped) return std::unexpected(failure_of(*run));
  return type;
}

ResticResult<void> Restic::dump(const std::string& snapshot, const std::string& path, int output_fd) {
  const auto run = run_once(dump_arguments(snapshot, path, version_), {}, nullptr, output_fd);
  if (!run) return std::unexpected(run.error());
  if (run->exit_code != 0 || run->stopped) return std::unexpected(failure_of(*run));
  return {};
}

}  // namespace stash::sidecar
