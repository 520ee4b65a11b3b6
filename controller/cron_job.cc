#include "controller/cron_job.h"

#include <algorithm>

#include "api/names.h"
#include "api/workload_kind.h"
#include "base/hash.h"
#include "controller/invoker_labels.h"
#include "controller/job_pod.h"
#include "controller/owned_object.h"
#include "inject/runtime_settings.h"

namespace stash::controller {
namespace {

namespace names = api::names;

std::string text(std::string_view view) { return std::string(view); }

Json metadata(const api::BackupConfiguration& configuration, const std::string& name) {
  return owned_metadata(configuration.metadata.ns, name, invoker_labels(configuration.metadata.name),
                        owner_reference(api::kBackupConfigurations, configuration.metadata));
}

std::string service_account_name(const api::BackupConfiguration& configuration) {
  const std::string chosen = string_at(configuration.spec.runtime_settings.pod, {"serviceAccountName"});
  return chosen.empty() ? cron_job_name(configuration.metadata.name) : chosen;
}

Json container(const api::BackupConfiguration& configuration, const inject::Settings& settings, const Json& resources) {
  return {{"name", names::kSidecar},
          {"image", settings.image},
          {"imagePullPolicy", "IfNotPresent"},
          {"args",
           {"create-backupsession", "--invoker-name=" + configuration.metadata.name,
            "--invoker-type=BackupConfiguration", "--namespace=" + configuration.metadata.ns}},
          {"env",
           Json::array(
               {{{"name", "JOB_NAME"},
                 {"valueFrom", {{"fieldRef", {{"fieldPath", "metadata.labels['batch.kubernetes.io/job-name']"}}}}}}})},
          {"securityContext", job_security_context()},
          {"resources", resources}};
}

/// The administrator's and the author's own, each once.
Json image_pull_secrets(const api::BackupConfiguration& configuration, const inject::Settings& settings) {
  Json secrets = Json::array();
  const auto add = [&](const std::string& name) {
    const Json entry = {{"name", name}};
    if (!name.empty() && std::find(secrets.begin(), secrets.end(), entry) == secrets.end()) secrets.push_back(entry);
  };
  for (const std::string& secret : settings.image_pull_secrets) add(secret);
  for (const Json& secret : array_at(configuration.spec.runtime_settings.pod, {"imagePullSecrets"})) {
    add(string_at(secret, {"name"}));
  }
  return secrets;
}

Json cron_job(const api::BackupConfiguration& configuration, const inject::Settings& settings, const Json& resources,
              const Json& placement) {
  const auto ours = invoker_labels(configuration.metadata.name);
  auto labels = ours;
  labels.insert(configuration.metadata.labels.begin(), configuration.metadata.labels.end());
  Json pod = {{"serviceAccountName", service_account_name(configuration)},
              {"restartPolicy", "Never"},
              {"containers", Json::array({container(configuration, settings, resources)})}};
  pod.update(placement);
  pod["nodeSelector"].update(job_node_selector());
  if (Json secrets = image_pull_secrets(configuration, settings); !secrets.empty()) {
    pod["imagePullSecrets"] = std::move(secrets);
  }

  Json job = {{"apiVersion", api::kCronJobs.api_version()}, {"kind", api::kCronJobs.kind}};
  job["metadata"] = metadata(configuration, cron_job_name(configuration.metadata.name));
  job["metadata"]["labels"] = labels;
  // The user's own labels stay off the pods: a Service that selects by them would send traffic there.
  job["spec"] = {{"schedule", configuration.spec.schedule},
                 {"suspend", configuration.spec.paused},
                 {"concurrencyPolicy", "Forbid"},
                 {"startingDeadlineSeconds", kStartingDeadline.count()},
                 {"successfulJobsHistoryLimit", 1},
                 {"failedJobsHistoryLimit", 1},
                 {"jobTemplate",
                  {{"metadata", {{"labels", labels}}},
                   {"spec",
                    {{"backoffLimit", 3},
                     {"activeDeadlineSeconds", 600},
                     {"template", {{"metadata", job_pod_metadata(ours)}, {"spec", pod}}}}}}}};
  return job;
}

Json role(const api::BackupConfiguration& configuration) {
  const std::string group = text(names::kGroup);
  Json rules = {{{"apiGroups", {group}},
                 {"resources", {"backupconfigurations"}},
                 {"resourceNames", {configuration.metadata.name}},
                 {"verbs", {"get"}}},
                {{"apiGroups", {group}}, {"resources", {"backupsessions"}}, {"verbs", {"create", "list"}}},
                {{"apiGroups", {""}}, {"resources", {"events"}}, {"verbs", {"create"}}}};
  // It skips a slot whose target is not there.
  const auto& target = configuration.spec.target;
  if (const auto* kind = target ? api::workload_kind(target->ref) : nullptr; kind != nullptr) {
    rules.push_back({{"apiGroups", {kind->resource.group}},
                     {"resources", {kind->resource.plural}},
                     {"resourceNames", {target->ref.name}},
                     {"verbs", {"get"}}});
  }
  return {{"apiVersion", api::kRoles.api_version()},
          {"kind", api::kRoles.kind},
          {"metadata", metadata(configuration, cron_role_name(configuration.metadata.name))},
          {"rules", std::move(rules)}};
}

Json role_binding(const api::BackupConfiguration& configuration) {
  const std::string name = cron_role_name(configuration.metadata.name);
  return {{"apiVersion", api::kRoleBindings.api_version()},
          {"kind", api::kRoleBindings.kind},
          {"metadata", metadata(configuration, name)},
          {"roleRef", {{"apiGroup", api::kRoles.group}, {"kind", api::kRoles.kind}, {"name", name}}},
          {"subjects", Json::array({{{"kind", api::kServiceAccounts.kind},
                                     {"name", service_account_name(configuration)},
                                     {"namespace", configuration.metadata.ns}}})}};
}

}  // namespace

std::string cron_job_name(const std::string& configuration) {
  return undotted_name(text(names::kCronJobPrefix) + configuration, 52);
}

std::string cron_role_name(const std::string& configuration) {
  return shorten_name(text(names::kCronJobRolePrefix) + configuration, 253);
}

Json placement_of(const Json& cron_job) {
  return inject::placement_in(object_at(cron_job, {"spec", "jobTemplate", "spec", "template", "spec"}));
}

CronJobObjects cron_job_objects(const api::BackupConfiguration& configuration, const inject::Settings& settings,
                                const Json& resources, const Json& placement) {
  CronJobObjects objects{cron_job(configuration, settings, resources, placement), role(configuration),
                         role_binding(configuration), nullptr};
  const std::string own = cron_job_name(configuration.metadata.name);
  if (service_account_name(configuration) == own) {
    objects.service_account = {{"apiVersion", api::kServiceAccounts.api_version()},
                               {"kind", api::kServiceAccounts.kind},
                               {"metadata", metadata(configuration, own)}};
  }
  return objects;
}

}  // namespace stash::controller
