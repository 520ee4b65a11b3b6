#pragma once
#include <random>
#include <string>

#include "api/backup_blueprint.h"
#include "api/backup_configuration.h"
#include "api/backup_session.h"
#include "api/repository.h"
#include "api/restore_session.h"

namespace stash::test {

/// Objects with any combination of members set, for round trips. Written by hand and not from the fields() tables, so
/// that a member that a table forgot is found. The same seed gives the same objects.
class RandomObjects {
 public:
  explicit RandomObjects(unsigned seed) : random_(seed) {}

  api::Repository repository();
  api::BackupConfiguration backup_configuration();
  api::BackupSession backup_session();
  api::RestoreSession restore_session();
  api::BackupBlueprint backup_blueprint();
  api::TargetRef target_ref();

 private:
  bool coin();
  int number();
  std::string word();  ///< also empty, and with characters that need escaping
  TimePoint time();
  template <class Make>
  auto list(Make make);
  template <class Make>
  auto maybe(Make make);

  api::ObjectMeta metadata();
  std::vector<std::string> words();
  std::vector<api::Condition> conditions();
  std::vector<api::HostStats> hosts();
  api::SnapshotStats snapshot();
  std::vector<api::VolumeMount> mounts();
  api::RuntimeSettings runtime_settings();
  api::TempDir temp_dir();
  api::Backend backend();
  api::BucketBackend bucket(bool with_connections);
  api::RestoreRule rule();
  api::HttpAction http_action(bool is_post);
  api::Hook hook();
  api::Withdrawal withdrawal();

  std::mt19937 random_;
};

}  // namespace stash::test
