#pragma once
#include <string>
#include <string_view>

namespace stash::api {

/// A kind as the API server names it in URLs. https://kubernetes.io/docs/reference/using-api/api-concepts/
struct Resource {
  std::string_view group;  ///< empty for the core group
  std::string_view version;
  std::string_view plural;
  std::string_view kind;
  bool namespaced = true;

  std::string api_version() const;  ///< "v1" or "group/version"
  friend bool operator==(const Resource&, const Resource&) = default;
};

/// Which object of a kind; `ns` is empty for cluster-scoped kinds. to_string gives "ns/name" or "name".
struct ObjectRef {
  std::string ns, name;
  friend auto operator<=>(const ObjectRef&, const ObjectRef&) = default;
};
std::string to_string(const ObjectRef& ref);
/// The inverse of to_string.
ObjectRef object_ref(std::string_view text);

inline constexpr Resource kRepositories{"stash.appscode.com", "v1alpha1", "repositories", "Repository"};
inline constexpr Resource kBackupConfigurations{"stash.appscode.com", "v1beta1", "backupconfigurations",
                                                "BackupConfiguration"};
inline constexpr Resource kBackupSessions{"stash.appscode.com", "v1beta1", "backupsessions", "BackupSession"};
inline constexpr Resource kBackupSessionHosts{"stash.appscode.com", "v1beta1", "backupsessionhosts",
                                              "BackupSessionHost"};
inline constexpr Resource kRestoreSessions{"stash.appscode.com", "v1beta1", "restoresessions", "RestoreSession"};
inline constexpr Resource kBackupBlueprints{"stash.appscode.com", "v1beta1", "backupblueprints", "BackupBlueprint",
                                            false};

inline constexpr Resource kDeployments{"apps", "v1", "deployments", "Deployment"};
inline constexpr Resource kCronJobs{"batch", "v1", "cronjobs", "CronJob"};
inline constexpr Resource kJobs{"batch", "v1", "jobs", "Job"};
inline constexpr Resource kNamespaces{"", "v1", "namespaces", "Namespace", false};
inline constexpr Resource kSecrets{"", "v1", "secrets", "Secret"};
inline constexpr Resource kPersistentVolumeClaims{"", "v1", "persistentvolumeclaims", "PersistentVolumeClaim"};
inline constexpr Resource kPods{"", "v1", "pods", "Pod"};
inline constexpr Resource kEvents{"", "v1", "events", "Event"};
inline constexpr Resource kServiceAccounts{"", "v1", "serviceaccounts", "ServiceAccount"};
inline constexpr Resource kRoles{"rbac.authorization.k8s.io", "v1", "roles", "Role"};
inline constexpr Resource kRoleBindings{"rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding"};
inline constexpr Resource kSubjectAccessReviews{"authorization.k8s.io", "v1", "subjectaccessreviews",
                                                "SubjectAccessReview", false};
inline constexpr Resource kLeases{"coordination.k8s.io", "v1", "leases", "Lease"};
inline constexpr Resource kMutatingWebhookConfigurations{
    "admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", false};

}  // namespace stash::api
