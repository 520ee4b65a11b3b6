#include "sidecar/metrics_text.h"

#include <algorithm>
#include <cctype>

#include "base/base64.h"

namespace stash::sidecar {

namespace {

std::string label_value(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
    } else {
      if (c == '\\' || c == '"') text += '\\';
      text += c;
    }
  }
  return text;
}

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

class Text {
 public:
  explicit Text(const Labels& labels) {
    for (const auto& [name, value] : labels) {
      labels_ += fmt::format("{}{}=\"{}\"", labels_.empty() ? "" : ",", name, label_value(value));
    }
  }
  template <class Value>
  void gauge(std::string_view name, std::string_view help, Value value) {
    text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n{0}{{{2}}} {3}\n", name, help, labels_, value);
  }
  template <class Value>
  void gauge(std::string_view name, std::string_view help, const std::optional<Value>& value) {
    if (value) gauge(name, help, *value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string labels_, text_;
};

Labels host_labels(const MetricLabels& labels, const std::string& group) {
  return {{"driver", labels.driver},    {"kind", labels.target.kind}, {"group", group},
          {"name", labels.target.name}, {"namespace", labels.ns},     {"repository", labels.repository},
          {"hostname", labels.host}};
}

std::string group_of(const api::TargetRef& target) {
  const auto slash = target.api_version.find('/');
  return slash == std::string::npos ? "" : target.api_version.substr(0, slash);
}

double seconds(Nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

std::string render_repository(const MetricLabels& labels, const RepositoryMetrics& repository) {
  Text text({{"name", labels.repository}, {"namespace", labels.ns}, {"backend", repository.backend}});
  const auto integrity = repository.integrity ? std::optional(*repository.integrity ? 1 : 0) : std::nullopt;
  text.gauge("stash_repository_integrity", "Whether the last check found the repository intact", integrity);
  text.gauge("stash_repository_size_bytes", "Size of all snapshots when restored", repository.size_bytes);
  text.gauge("stash_repository_snapshot_count", "Snapshots in the repository", repository.snapshots);
  text.gauge("stash_repository_snapshot_cleaned", "Snapshots removed by the last cleanup", repository.removed);
  return text.take();
}

bool is_plain(std::string_view value) {
  for (const unsigned char c : value) {
    if (std::isalnum(c) == 0 && c != '-' && c != '_' && c != '.') return false;
  }
  return !value.empty();
}

std::string base64url(std::string_view bytes) {
  if (bytes.empty()) return "=";
  std::string text = encode_base64(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

std::string grouping(std::string_view name, std::string_view value) {
  return is_plain(value) ? fmt::format("/{}/{}", name, value) : fmt::format("/{}@base64/{}", name, base64url(value));
}

}  // namespace

std::string render_backup_metrics(const MetricLabels& labels, const BackupMetrics& backup,
                                  const std::optional<RepositoryMetrics>& repository) {
  const std::string group = group_of(labels.target);
  Text text(host_labels(labels, group));
  text.gauge("stash_backup_setup_success", "Whether the sidecar could set itself up", 1);
  text.gauge("stash_backup_host_backup_success", "Whether the last backup of this host succeeded",
             backup.success ? 1 : 0);
  text.gauge("stash_backup_host_backup_duration_seconds", "Time the last backup of this host took",
             seconds(backup.duration));
  if (backup.success) {
    text.gauge("stash_backup_host_data_size_bytes", "Data of this host that was backed up", backup.size_bytes);
    text.gauge("stash_backup_host_data_uploaded_bytes", "Data of this host that was new", backup.uploaded_bytes);
    text.gauge("stash_backup_host_data_processing_time_seconds", "Time restic took for it", backup.processing_seconds);
    text.gauge("stash_backup_host_files_total", "Files of this host", backup.files.total);
    text.gauge("stash_backup_host_files_new", "Files that the snapshot before did not have", backup.files.fresh);
    text.gauge("stash_backup_host_files_modified", "Files that changed since the snapshot before",
               backup.files.modified);
    text.gauge("stash_backup_host_files_unmodified", "Files as in the snapshot before", backup.files.unmodified);
  }
  return text.take() + (repository ? render_repository(labels, *repository) : "");
}

std::string render_restore_metrics(const MetricLabels& labels, bool success, Nanoseconds duration) {
  const std::string group = group_of(labels.target);
  Text text(host_labels(labels, group));
  text.gauge("stash_restore_host_restore_success", "Whether the last restore of this host succeeded", success ? 1 : 0);
  text.gauge("stash_restore_host_restore_duration_seconds", "Time the last restore of this host took",
             seconds(duration));
  return text.take();
}

std::string push_url(std::string_view base, std::string_view job, std::string_view ns, std::string_view host) {
  while (base.ends_with('/')) base.remove_suffix(1);
  return fmt::format("{}/metrics{}{}{}", base, grouping("job", job), grouping("namespace", ns),
                     grouping("hostname", host));
}

}  // namespace stash::sidecar
