#pragma once
#include "api/fields.h"
#include "api/meta.h"
#include "api/shared_types.h"

/// Tables of the types that several kinds share.
namespace stash::api {

/// Names of objects and of hosts are DNS subdomains; CEL wants a bound to estimate its cost.
inline constexpr std::size_t kMaxName = 253;

constexpr auto fields(Of<Condition>) {
  return std::tuple{
      Field{"type", &Condition::type, "What is said, in CamelCase.", {.required = true}},
      Field{"status", &Condition::status, "True, False or Unknown."},
      Field{"reason", &Condition::reason, "Why, as one word for programs."},
      Field{"message", &Condition::message, "Why and what to do, for people."},
      Field{"lastTransitionTime", &Condition::last_transition, "When the status last changed."},
      Field{"observedGeneration", &Condition::observed_generation, "metadata.generation that this was said about."}};
}

constexpr auto fields(Of<TargetRef>) {
  return std::tuple{
      Field{"apiVersion", &TargetRef::api_version,
            "API group and version, such as apps/v1. The version does not matter."},
      Field{"kind", &TargetRef::kind, "Kind of the workload, such as Deployment."},
      Field{"name", &TargetRef::name, "Name of the workload."},
      Accepts{"namespace", as<std::string>(), "Only the namespace of this object is supported; any other is refused."}};
}

constexpr auto fields(Of<VolumeMount>) {
  return std::tuple{
      Field{"name", &VolumeMount::name, "Name of a volume of the pod.", {.required = true}},
      Field{"mountPath", &VolumeMount::mount_path, "Where Stash's container mounts it.", {.required = true}},
      Field{"subPath", &VolumeMount::sub_path, "Directory of the volume to mount instead of its root."},
      later<bool>("readOnly", "Mount the volume read-only."),
      later<std::string>("mountPropagation", "How mounts spread between host and container."),
      later<std::string>("subPathExpr", "Like subPath, with variables of the environment."),
      later<std::string>("recursiveReadOnly", "Whether readOnly covers mounts below.")};
}

constexpr auto fields(Of<RetentionPolicy>) {
  return std::tuple{
      Field{"name", &RetentionPolicy::name, "Free text."},
      Field{"keepLast", &RetentionPolicy::keep_last,
            "How many of the newest snapshots to keep; 0: this rule is not used."},
      Field{"keepHourly", &RetentionPolicy::keep_hourly, "For how many hours to keep the newest snapshot of the hour."},
      Field{"keepDaily", &RetentionPolicy::keep_daily, "For how many days to keep the newest snapshot of the day."},
      Field{"keepWeekly", &RetentionPolicy::keep_weekly, "For how many weeks to keep the newest snapshot of the week."},
      Field{"keepMonthly", &RetentionPolicy::keep_monthly,
            "For how many months to keep the newest snapshot of the month."},
      Field{"keepYearly", &RetentionPolicy::keep_yearly, "For how many years to keep the newest snapshot of the year."},
      Field{"keepTags", &RetentionPolicy::keep_tags, "Keep all snapshots with one of these tags."},
      Field{"prune", &RetentionPolicy::prune, "Also delete data that no snapshot uses any more."},
      Field{"dryRun", &RetentionPolicy::dry_run, "Only report what would be removed."}};
}

constexpr auto fields(Of<TempDir>) {
  return std::tuple{Field{"medium", &TempDir::medium,
                          "Where temporary files and the cache live: empty for the node's disk, or Memory."},
                    Field{"sizeLimit", &TempDir::size_limit, as<Quantity>(), "Limit of that volume, such as 1Gi."},
                    Field{"disableCaching", &TempDir::disable_caching, "Do not keep restic's cache."}};
}

/// Wire only: RuntimeSettings::container stays raw.
struct NiceSettings {};
constexpr auto fields(Of<NiceSettings>) {
  return std::tuple{Accepts{"adjustment", as<int>(), "-20 (served first) to 19 (served last)."}};
}
struct IoNiceSettings {};
constexpr auto fields(Of<IoNiceSettings>) {
  return std::tuple{Accepts{"class", as<int>(), "0 none, 1 real time, 2 best effort, 3 idle."},
                    Accepts{"classData", as<int>(), "Priority within the class, 0 (served first) to 7."}};
}
struct ContainerSettings {};
constexpr auto fields(Of<ContainerSettings>) {
  return std::tuple{
      Accepts{"resources", as<AnyObject>(), "Resource requests and limits of the container."},
      Accepts{"livenessProbe", as<AnyObject>(), "Kubernetes Probe."},
      Accepts{"readinessProbe", as<AnyObject>(), "Kubernetes Probe."},
      Accepts{"lifecycle", as<AnyObject>(), "Kubernetes Lifecycle."},
      Accepts{"securityContext", as<AnyObject>(), "Kubernetes SecurityContext, laid over the default field by field."},
      Accepts{"nice", as<NiceSettings>(), "CPU priority of restic."},
      Accepts{"ionice", as<IoNiceSettings>(), "Disk priority of restic."},
      Accepts{"env", as<std::vector<AnyObject>>(), "Environment variables, added or replaced by name."},
      Accepts{"envFrom", as<std::vector<AnyObject>>(), "Sources of environment variables, appended."}};
}

/// Wire only: RuntimeSettings::pod stays raw.
struct PodSettings {};
constexpr auto fields(Of<PodSettings>) {
  return std::tuple{
      Accepts{"serviceAccountName", as<std::string>(), "ServiceAccount of the CronJob that starts sessions."},
      Accepts{"imagePullSecrets", as<std::vector<AnyObject>>(), "Added to the workload's pod template."},
      later<AnyObject>("nodeSelector", "Only for jobs."),
      later<bool>("automountServiceAccountToken", "Only for jobs.", {.false_matters = true}),
      later<std::string>("nodeName", "Only for jobs."),
      later<AnyObject>("securityContext", "Only for jobs."),
      later<AnyObject>("affinity", "Only for jobs."),
      later<std::string>("schedulerName", "Only for jobs."),
      later<std::vector<AnyObject>>("tolerations", "Only for jobs."),
      later<std::string>("priorityClassName", "Only for jobs."),
      later<int>("priority", "Only for jobs."),
      later<std::vector<AnyObject>>("readinessGates", "Only for jobs."),
      later<std::string>("runtimeClassName", "Only for jobs."),
      later<bool>("enableServiceLinks", "Only for jobs.", {.false_matters = true})};
}

constexpr auto fields(Of<RuntimeSettings>) {
  return std::tuple{Field{"container", &RuntimeSettings::container, as<ContainerSettings>(),
                          "Settings of Stash's container in the workload."},
                    Field{"pod", &RuntimeSettings::pod, as<PodSettings>(), "Settings of pods."}};
}

/// Wire only: hooks are not acted on yet.
struct ExecAction {};
constexpr auto fields(Of<ExecAction>) {
  return std::tuple{Accepts{"command", as<std::vector<std::string>>(), "The program and its arguments; no shell."}};
}
struct FormEntry {};
constexpr auto fields(Of<FormEntry>) {
  return std::tuple{Accepts{"key", as<std::string>(), "Name of the form field."},
                    Accepts{"values", as<std::vector<std::string>>(), "Its values."}};
}
struct HttpPostAction {};
constexpr auto fields(Of<HttpPostAction>) {
  return std::tuple{Accepts{"path", as<std::string>(), "Path of the URL."},
                    Accepts{"port", as<Quantity>(), "Number or name of the port."},
                    Accepts{"host", as<std::string>(), "Host; the pod's own address when empty."},
                    Accepts{"scheme", as<std::string>(), "HTTP or HTTPS."},
                    Accepts{"httpHeaders", as<std::vector<AnyObject>>(), "Headers, each a name and a value."},
                    Accepts{"body", as<std::string>(), "Body of the request."},
                    Accepts{"form", as<std::vector<FormEntry>>(), "Form fields, instead of a body."}};
}
struct Hook {};
constexpr auto fields(Of<Hook>) {
  return std::tuple{Accepts{"exec", as<ExecAction>(), "Run a command in a container of the pod."},
                    Accepts{"httpGet", as<AnyObject>(), "Send a GET request."},
                    Accepts{"httpPost", as<HttpPostAction>(), "Send a POST request."},
                    Accepts{"tcpSocket", as<AnyObject>(), "Open a TCP connection."},
                    Accepts{"containerName", as<std::string>(), "Container for exec."},
                    Accepts{"executionPolicy", as<std::string>(),
                            "For post hooks: Always, OnSuccess, OnFailure or OnFinalRetryFailure."}};
}

struct TaskParameter {};
constexpr auto fields(Of<TaskParameter>) {
  return std::tuple{Accepts{"name", as<std::string>(), "Name of the parameter.", {.required = true}},
                    Accepts{"value", as<std::string>(), "Its value.", {.required = true}}};
}
struct TaskRef {};
constexpr auto fields(Of<TaskRef>) {
  return std::tuple{Accepts{"name", as<std::string>(), "Name of the Task."},
                    Accepts{"params", as<std::vector<TaskParameter>>(), "Parameters of the Task."}};
}

inline constexpr std::string_view kRepositoryNamespaceDoc =
    "Only the namespace of this object is supported; any other is refused.";

}  // namespace stash::api
