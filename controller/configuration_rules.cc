#include "controller/configuration_rules.h"

#include <fmt/format.h>

#include "api/workload_kind.h"
#include "controller/retry.h"

namespace stash::controller {

std::string unusable(const api::BackupConfiguration& configuration) {
  const api::BackupConfigurationSpec& spec = configuration.spec;
  const std::string name = "BackupConfiguration " + api::to_string(configuration.metadata.ref());
  if (!spec.driver.empty() && spec.driver != "Restic") {
    return fmt::format("{} has the driver {}, which this version does not support; remove spec.driver for Restic", name,
                       spec.driver);
  }
  if (!spec.target || spec.target->ref.name.empty()) {
    return name + " has no target; set spec.target.ref (backups by a Task are not supported by this version)";
  }
  if (api::workload_kind(spec.target->ref) == nullptr) {
    return fmt::format("{} targets {} {} of {}, which this version does not support; supported: {}", name,
                       spec.target->ref.kind, spec.target->ref.name, spec.target->ref.api_version,
                       api::workload_kind_names());
  }
  for (const auto& [action, hook] : {std::pair("preBackup", &spec.pre_backup), {"postBackup", &spec.post_backup}}) {
    // A backup without what should make it consistent would only look like one.
    if (*hook && (*hook)->exec) {
      return fmt::format(
          "{} has spec.hooks.{}.exec, which this version does not run; use httpGet, httpPost or "
          "tcpSocket against the application, or remove it",
          name, action);
    }
  }
  if (spec.target->paths.empty()) return name + " names nothing to back up; set spec.target.paths";
  if (!spec.time_out.empty() && !time_out(spec.time_out)) {
    return fmt::format("{} has spec.timeOut {:?}, which is no duration above zero such as 30m or 2h", name,
                       spec.time_out);
  }
  if (const std::string why = unusable_retry(spec); !why.empty()) return name + " has " + why;
  return "";
}

}  // namespace stash::controller
