#include "controller/configuration_rules.h"

#include "base/time.h"
#include "controller/workload_facts.h"

namespace stash::controller {

std::string unusable(const api::BackupConfiguration& configuration) {
  const api::BackupConfigurationSpec& spec = configuration.spec;
  const std::string name = "BackupConfiguration " + api::to_string(configuration.metadata.ref());
  if (spec.driver == "VolumeSnapshotter") {
    return name +
           " has the driver VolumeSnapshotter, which this version does not support; remove spec.driver for Restic";
  }
  if (!spec.target || spec.target->ref.name.empty()) {
    return name + " has no target; set spec.target.ref (backups by a Task are not supported by this version)";
  }
  if (!is_supported_kind(spec.target->ref)) {
    return fmt::format("{} targets {} {} of {}, which this version does not support; supported: {}", name,
                       spec.target->ref.kind, spec.target->ref.name, spec.target->ref.api_version, kSupportedKinds);
  }
  if (spec.target->paths.empty()) return name + " names nothing to back up; set spec.target.paths";
  if (!spec.time_out.empty() && !time_out(spec.time_out)) {
    return fmt::format("{} has spec.timeOut {:?}, which is no duration above zero such as 30m or 2h", name,
                       spec.time_out);
  }
  return "";
}

std::optional<std::chrono::seconds> time_out(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto duration = parse_duration(text);
  if (!duration || *duration < std::chrono::seconds(1)) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(*duration);
}

}  // namespace stash::controller
