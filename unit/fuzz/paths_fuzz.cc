// Any text as a path of spec.target.paths, spec.target.volumeMounts or a restore rule: a line each, the first is the
// path.
#include <filesystem>
#include <sstream>

#include "sidecar/mounted_paths.h"
#include "sidecar/restic_command.h"
#include "sidecar/restic_output.h"
#include "sidecar/source_paths.h"
#include "unit/fuzz/fuzz.h"

using namespace stash;

namespace {

void check_cleaned(const std::string& path, const std::string& cleaned) {
  MUST(cleaned.starts_with('/') && (cleaned == "/" || !cleaned.ends_with('/')), cleaned);
  MUST(cleaned.find('\0') == std::string::npos);
  for (const auto& part : std::filesystem::path(cleaned)) MUST(part != "." && part != "..", path);
  MUST(sidecar::clean_path(cleaned) == cleaned, cleaned);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream lines{std::string(fuzz::text_of(data, size))};
  std::string path, mount;
  std::getline(lines, path);
  const auto cleaned = sidecar::clean_path(path);
  sidecar::literal_pattern(path);
  if (!cleaned) return 0;
  check_cleaned(path, *cleaned);

  std::vector<api::VolumeMount> mounts;
  while (std::getline(lines, mount)) mounts.push_back({"data", mount, ""});
  const bool inside = sidecar::is_mounted(*cleaned, sidecar::mounted_paths(mounts));
  bool expected = false;
  for (const api::VolumeMount& candidate : mounts) {
    const auto root = sidecar::clean_path(candidate.mount_path);
    expected |= root && (*root == "/" || *root == *cleaned || cleaned->starts_with(*root + "/"));
  }
  MUST(inside == expected, path);
  sidecar::check_inside_mounts({{.path = *cleaned, .exists = true, .has_entries = true}}, mounts);
  return 0;
}
