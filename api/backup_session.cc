#include "api/backup_session.h"

#include <fmt/format.h>

#include "api/names.h"
#include "api/resource.h"
#include "base/hash.h"

namespace stash::api {
namespace {

std::string label(const BackupSession& session, std::string_view key) {
  const auto found = session.metadata.labels.find(std::string(key));
  return found == session.metadata.labels.end() ? "" : found->second;
}

struct Source {
  std::string_view where;
  std::string name;
};

}  // namespace

Result<std::string> configuration_of(const BackupSession& session) {
  const BackupSessionSpec& spec = session.spec;
  const std::string kind = spec.invoker_kind.empty() ? label(session, names::kInvokerTypeLabel) : spec.invoker_kind;
  if (!kind.empty() && kind != kBackupConfigurations.kind) return "";

  const Source in_spec[] = {{"spec.invoker.name", spec.invoker_name},
                            {"spec.backupConfiguration.name", spec.backup_configuration}};
  const Source in_labels[] = {{names::kInvokerNameLabel, label(session, names::kInvokerNameLabel)},
                              {names::kBackupConfigurationLabel, label(session, names::kBackupConfigurationLabel)}};
  Source first;
  const auto contradiction = [&](const Source& other) {
    return fail(
        ErrorCode::invalid,
        fmt::format("BackupSession {}: {} says \"{}\" but {} says \"{}\"; create a new BackupSession that names one "
                    "BackupConfiguration",
                    to_string(session.metadata.ref()), first.where, first.name, other.where, other.name));
  };
  for (const Source& source : in_spec) {
    if (source.name.empty()) continue;
    if (first.name.empty()) first = source;
    if (source.name != first.name) return contradiction(source);
  }
  for (const Source& source : in_labels) {
    if (source.name.empty()) continue;
    if (first.name.empty()) first = source;
    if (source.name != first.name && source.name != configuration_label(first.name)) return contradiction(source);
  }
  return first.name;
}

std::string configuration_label(std::string_view name) { return shorten_name(name, 63); }

void set_configuration(BackupSession& session, std::string_view name) {
  session.spec.backup_configuration = name;
  session.spec.invoker_kind = kBackupConfigurations.kind;
  session.spec.invoker_name = name;
  auto& labels = session.metadata.labels;
  labels[std::string(names::kComponentLabel)] = names::kBackupComponent;
  labels[std::string(names::kManagedByLabel)] = names::kManagedBy;
  labels[std::string(names::kBackupConfigurationLabel)] = configuration_label(name);
  labels[std::string(names::kInvokerTypeLabel)] = kBackupConfigurations.kind;
  labels[std::string(names::kInvokerNameLabel)] = configuration_label(name);
}

bool is_final_phase(std::string_view phase) {
  return phase == "Succeeded" || phase == "Failed" || phase == "Skipped" || phase == "Unknown";
}

}  // namespace stash::api
