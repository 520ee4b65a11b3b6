#pragma once
#include <string>
#include <vector>

#include "api/backup_blueprint.h"
#include "api/backup_configuration.h"
#include "api/backup_session.h"
#include "api/backup_session_host.h"
#include "api/repository.h"
#include "api/restore_session.h"

namespace stash::api {

/// Decodes one of our kinds from its fields() table, in every wire shape of the contract. Unknown fields are ignored,
/// null counts as absent. Error invalid: "Repository demo/gcs: /spec/backend/gcs/bucket: expected a string, got a
/// number". Defined for Repository, BackupConfiguration, BackupSession, BackupSessionHost, RestoreSession,
/// BackupBlueprint.
template <class Kind>
Result<Kind> decode(const Json& object);

/// The object as the contract says it is written (8.3): apiVersion, kind, metadata (name, namespace, labels,
/// annotations, owners), spec, status; empty parts left out.
template <class Kind>
Json encode(const Kind& object);

/// Only the spec.
Json encode_spec(const BackupConfigurationSpec& spec);
Json encode_spec(const RestoreSessionSpec& spec);

/// Only the status, for a merge patch on the status subresource; wire names of both generations.
Json encode_status(const RepositoryStatus& status);
Json encode_status(const BackupConfigurationStatus& status);
/// `target` fills status.targets[] beside status.stats[].
Json encode_status(const BackupSessionStatus& status, const TargetRef& target);
Json encode_status(const RestoreSessionStatus& status);
Json encode_status(const BackupBlueprintStatus& status);
/// One entry of status.stats[].
Json encode_host(const HostStats& host);
Json encode_progress(const Progress& progress);
Json encode_progress(const SessionProgress& progress);
Json encode_conditions(const std::vector<Condition>& conditions);

/// Fields of the object's spec that are set but that this version does not act on, as JSON pointers in document
/// order: known ones that a later version will honour, and unknown ones (perhaps misspelt).
struct IgnoredFields {
  std::vector<std::string> not_yet, unknown;
  friend bool operator==(const IgnoredFields&, const IgnoredFields&) = default;
};
template <class Kind>
IgnoredFields ignored_fields(const Json& object);

/// The CustomResourceDefinition (apiextensions.k8s.io/v1) of a kind, from the same tables.
template <class Kind>
Json custom_resource_definition();

}  // namespace stash::api
