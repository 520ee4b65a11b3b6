#include "unit/support/random_objects.h"

namespace stash::test {

bool RandomObjects::coin() { return random_() % 2 == 0; }
int RandomObjects::number() { return coin() ? 0 : static_cast<int>(random_() % 4000000000U - 2000000000U); }
std::string RandomObjects::word() {
  static constexpr std::string_view kWords[] = {"",      "a",    "host-0", "/source/data", "a/b~c", "\"quoted\"",
                                                "größe", "true", "5"};
  return std::string(kWords[random_() % std::size(kWords)]);
}
TimePoint RandomObjects::time() { return TimePoint(std::chrono::seconds(1 + random_() % 4000000000U)); }

template <class Make>
auto RandomObjects::list(Make make) {
  std::vector<decltype(make())> items;
  for (auto count = random_() % 4; count > 0; --count) items.push_back(make());
  return items;
}

template <class Make>
auto RandomObjects::maybe(Make make) {
  std::optional<decltype(make())> value;
  if (coin()) value = make();
  return value;
}

std::vector<std::string> RandomObjects::words() {
  return list([this] { return word(); });
}

api::ObjectMeta RandomObjects::metadata() {
  api::ObjectMeta meta;
  meta.name = word();
  meta.ns = word();
  if (coin()) meta.labels = {{"a", word()}, {"b/c", word()}};
  if (coin()) meta.annotations = {{"stash.appscode.com/x", word()}};
  meta.owners = list([this] { return api::OwnerReference{word(), word(), word(), word(), coin()}; });
  return meta;
}

std::vector<api::Condition> RandomObjects::conditions() {
  // A condition's type is its key and therefore never empty.
  return list([this] { return api::Condition{"T" + word(), word(), word(), word(), number(), time()}; });
}

api::SnapshotStats RandomObjects::snapshot() {
  const auto files = [this] { return api::FileStats{number(), number(), number(), number()}; };
  return {word(), word(), word(), word(), word(), maybe(files)};
}

std::vector<api::HostStats> RandomObjects::hosts() {
  return list([this] {
    api::HostStats host{"h" + word(), word(), {}, {}, word(), word()};
    host.claim = maybe([this] { return api::Claim{word(), word(), maybe([this] { return time(); })}; });
    host.snapshots = list([this] { return snapshot(); });
    host.attempts = number();
    host.hook = maybe([this] {
      return api::HookStatus{word(), word(), word(), maybe([this] { return time(); }), maybe([this] { return time(); }),
                             word()};
    });
    return host;
  });
}

api::HttpAction RandomObjects::http_action(bool is_post) {
  api::HttpAction action{word(), word(), word(), word(), {}, {}, {}};
  action.headers = list([this] { return api::HttpHeader{word(), word()}; });
  if (!is_post) return action;
  action.body = word();
  action.form = list([this] { return api::FormEntry{word(), words()}; });
  return action;
}

api::Hook RandomObjects::hook() {
  api::Hook hook;
  hook.exec = maybe([this] { return api::ExecAction{words()}; });
  hook.http_get = maybe([this] { return http_action(false); });
  hook.http_post = maybe([this] { return http_action(true); });
  hook.tcp_socket = maybe([this] { return api::TcpAction{word(), word()}; });
  hook.container_name = word();
  hook.execution_policy = word();
  hook.timeout = word();
  return hook;
}

std::vector<api::VolumeMount> RandomObjects::mounts() {
  return list([this] { return api::VolumeMount{"v" + word(), "/" + word(), word()}; });
}

api::TargetRef RandomObjects::target_ref() { return {word(), word(), word()}; }

api::RuntimeSettings RandomObjects::runtime_settings() {
  api::RuntimeSettings settings;
  if (coin()) settings.container = {{"resources", {{"limits", {{"memory", word()}}}}}, {"nice", {{"adjustment", 5}}}};
  if (coin()) settings.pod = {{"serviceAccountName", word()}, {"imagePullSecrets", Json::array({{{"name", word()}}})}};
  return settings;
}

api::TempDir RandomObjects::temp_dir() { return {word(), word(), coin()}; }

api::BucketBackend RandomObjects::bucket(bool with_connections) {
  return {word(), word(), with_connections ? number() : 0};
}

api::Backend RandomObjects::backend() {
  api::Backend backend;
  backend.storage_secret_name = word();
  backend.local = maybe([this] {
    Json source = Json::object();
    if (coin()) source["hostPath"] = {{"path", word()}};
    return api::LocalBackend{source, word(), word()};
  });
  backend.s3 = maybe([this] { return api::S3Backend{word(), word(), word(), word()}; });
  backend.gcs = maybe([this] { return bucket(true); });
  backend.azure = maybe([this] { return bucket(true); });
  backend.swift = maybe([this] { return bucket(false); });
  backend.b2 = maybe([this] { return bucket(true); });
  backend.rest = maybe([this] { return api::RestBackend{word()}; });
  return backend;
}

api::Repository RandomObjects::repository() {
  api::Repository repository{metadata(), {}, {}};
  repository.spec.backend = backend();
  repository.spec.wipe_out = coin();
  const auto random_time = [this] { return time(); };
  repository.status = {.observed_generation = number(),
                       .first_backup_time = maybe(random_time),
                       .last_backup_time = maybe(random_time),
                       .first_snapshot_time = maybe(random_time),
                       .integrity = maybe([this] { return coin(); }),
                       .last_check_time = maybe(random_time),
                       .initialisation = {},
                       .total_size = word(),
                       .snapshot_count = number(),
                       .snapshots_removed_on_last_cleanup = number(),
                       .conditions = conditions()};
  return repository;
}

api::BackupConfiguration RandomObjects::backup_configuration() {
  api::BackupConfiguration configuration{metadata(), {}, {number(), word(), conditions()}};
  api::BackupConfigurationSpec& spec = configuration.spec;
  spec.schedule = word();
  spec.driver = word();
  spec.repository = word();
  spec.target = maybe([this] { return api::BackupTarget{target_ref(), words(), mounts(), words()}; });
  spec.retention_policy = {word(), number(), number(), number(), number(), number(), number(), words(), coin(), coin()};
  spec.paused = coin();
  spec.runtime_settings = runtime_settings();
  spec.temp_dir = temp_dir();
  spec.backup_history_limit = maybe([this] { return number(); });
  spec.time_out = word();
  spec.pre_backup = maybe([this] { return hook(); });
  spec.post_backup = maybe([this] { return hook(); });
  configuration.status.generation_observed = maybe([this] { return time(); });
  configuration.status.last_success = maybe([this] { return time(); });
  configuration.status.withdrawal = maybe([this] { return withdrawal(); });
  return configuration;
}

api::Withdrawal RandomObjects::withdrawal() {
  return {.phase = word(),
          .reason = word(),
          .message = word(),
          .observed_generation = number(),
          .repository_generation = number(),
          .settings = word(),
          .attempts = number(),
          .since = maybe([this] { return time(); }),
          .retry_at = maybe([this] { return time(); })};
}

api::BackupBlueprint RandomObjects::backup_blueprint() {
  api::BackupBlueprint blueprint{metadata(), {}, {number(), conditions()}};
  api::BackupBlueprintSpec& spec = blueprint.spec;
  spec.backend = backend();
  spec.wipe_out = coin();
  spec.schedule = word();
  spec.retention_policy = {word(), number(), number(), number(), number(), number(), number(), words(), coin(), coin()};
  spec.runtime_settings = runtime_settings();
  spec.temp_dir = temp_dir();
  spec.backup_history_limit = maybe([this] { return number(); });
  spec.time_out = word();
  spec.retry_config = maybe([this] { return api::RetryConfig{number(), word()}; });
  return blueprint;
}

api::BackupSession RandomObjects::backup_session() {
  return {metadata(),
          {word(), word(), word()},
          {word(), maybe([this] { return number(); }), word(), hosts(), conditions()}};
}

api::RestoreRule RandomObjects::rule() { return {words(), word(), words(), words(), words(), words()}; }

api::RestoreSession RandomObjects::restore_session() {
  api::RestoreSession session{
      metadata(), {}, {word(), maybe([this] { return number(); }), word(), hosts(), conditions()}};
  api::RestoreSessionSpec& spec = session.spec;
  spec.driver = word();
  spec.repository = word();
  spec.target = maybe([this] { return api::RestoreTarget{target_ref(), mounts(), coin()}; });
  spec.rules = list([this] { return rule(); });
  spec.runtime_settings = runtime_settings();
  spec.temp_dir = temp_dir();
  spec.time_out = word();
  spec.pre_restore = maybe([this] { return hook(); });
  spec.post_restore = maybe([this] { return hook(); });
  session.status.withdrawal = maybe([this] { return withdrawal(); });
  return session;
}

}  // namespace stash::test
