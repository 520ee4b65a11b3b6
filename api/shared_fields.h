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

constexpr auto fields(Of<RetryConfig>) {
  return std::tuple{
      Field{"maxRetry", &RetryConfig::max_retry, "How many times a failed session is repeated."},
      Field{"delay", &RetryConfig::delay, "How long to wait before each repetition, such as 5m; none when empty."}};
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
struct JobPodSettings {};
constexpr auto fields(Of<JobPodSettings>) {
  return std::tuple{
      Accepts{"serviceAccountName", as<std::string>(), "ServiceAccount of the CronJob that starts sessions."},
      Accepts{"imagePullSecrets", as<std::vector<AnyObject>>(), "Added to the workload's pod template."},
      later<bool>("automountServiceAccountToken", "Only for jobs.", {.false_matters = true}),
      later<std::string>("nodeName", "Only for jobs."),
      later<AnyObject>("securityContext", "Only for jobs."),
      later<AnyObject>("affinity", "Only for jobs."),
      later<std::string>("schedulerName", "Only for jobs."),
      later<int>("priority", "Only for jobs."),
      later<std::vector<AnyObject>>("readinessGates", "Only for jobs."),
      later<std::string>("runtimeClassName", "Only for jobs."),
      later<bool>("enableServiceLinks", "Only for jobs.", {.false_matters = true})};
}

struct PodSettings {};
constexpr auto fields(Of<PodSettings>) {
  return std::tuple_cat(std::tuple{Accepts{"nodeSelector", as<AnyObject>(), "Of the CronJob's pods."},
                                   Accepts{"tolerations", as<std::vector<AnyObject>>(), "Of the CronJob's pods."},
                                   Accepts{"priorityClassName", as<std::string>(), "Of the CronJob's pods."}},
                        fields(Of<JobPodSettings>{}));
}
/// Of a restore, which has no CronJob.
struct RestorePodSettings {};
constexpr auto fields(Of<RestorePodSettings>) {
  return std::tuple_cat(std::tuple{later<AnyObject>("nodeSelector", "Only for jobs."),
                                   later<std::vector<AnyObject>>("tolerations", "Only for jobs."),
                                   later<std::string>("priorityClassName", "Only for jobs.")},
                        fields(Of<JobPodSettings>{}));
}

template <class Pod>
constexpr auto runtime_settings_fields() {
  return std::tuple{Field{"container", &RuntimeSettings::container, as<ContainerSettings>(),
                          "Settings of Stash's container in the workload."},
                    Field{"pod", &RuntimeSettings::pod, as<Pod>(), "Settings of pods."}};
}
constexpr auto fields(Of<RuntimeSettings>) { return runtime_settings_fields<PodSettings>(); }
/// Wire only.
struct RestoreRuntimeSettings {};
constexpr auto fields(Of<RestoreRuntimeSettings>) { return runtime_settings_fields<RestorePodSettings>(); }

constexpr auto fields(Of<ExecAction>) {
  return std::tuple{Field{"command", &ExecAction::command, "The program and its arguments; no shell."}};
}
constexpr auto fields(Of<HttpHeader>) {
  return std::tuple{Field{"name", &HttpHeader::name, "Name of the header."},
                    Field{"value", &HttpHeader::value, "Its value."}};
}
constexpr auto fields(Of<FormEntry>) {
  return std::tuple{Field{"key", &FormEntry::key, "Name of the form field."},
                    Field{"values", &FormEntry::values, "Its values."}};
}

inline constexpr std::string_view kHookHostDoc = "Host; localhost, which is the pod itself, when empty.";
inline constexpr std::string_view kHookPortDoc = "Number of the port, from 1 to 65535; names are refused.";

/// Wire only: an HttpAction without body and form.
struct HttpGetAction {};
constexpr auto fields(Of<HttpGetAction>) {
  return std::tuple{Field{"path", &HttpAction::path, "Path of the URL."},
                    Field{"port", &HttpAction::port, as<Quantity>(), kHookPortDoc},
                    Field{"host", &HttpAction::host, kHookHostDoc},
                    Field{"scheme", &HttpAction::scheme, "HTTP or HTTPS, whose certificate is not verified."},
                    Field{"httpHeaders", &HttpAction::headers, "Headers, each a name and a value."}};
}
constexpr auto fields(Of<HttpAction>) {
  return std::tuple_cat(fields(Of<HttpGetAction>{}),
                        std::tuple{Field{"body", &HttpAction::body, "Body of the request."},
                                   Field{"form", &HttpAction::form, "Form fields, instead of a body."}});
}
constexpr auto fields(Of<TcpAction>) {
  return std::tuple{Field{"port", &TcpAction::port, as<Quantity>(), kHookPortDoc},
                    Field{"host", &TcpAction::host, kHookHostDoc}};
}
constexpr auto fields(Of<Hook>) {
  return std::tuple{
      Field{"exec", &Hook::exec, "Run a command in a container of the pod; exit code 0 is success."},
      Field{"httpGet", &Hook::http_get, as<HttpGetAction>(), "Send a GET request; 2xx and 3xx are success."},
      Field{"httpPost", &Hook::http_post, "Send a POST request; 2xx and 3xx are success."},
      Field{"tcpSocket", &Hook::tcp_socket, "Open a TCP connection and close it."},
      Field{"containerName", &Hook::container_name, "Container for exec; the first one of the pod when empty."},
      Field{"executionPolicy", &Hook::execution_policy,
            "For post hooks: Always, which is the default, OnSuccess, OnFailure or OnFinalRetryFailure."},
      Field{"timeout", &Hook::timeout,
            "How long it may take, such as 2m. When empty, 30s; a program may go on until its session ends."}};
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

constexpr auto fields(Of<Withdrawal>) {
  return std::tuple{
      Field{"phase", &Withdrawal::phase, "Withdrawn, or Retrying while it is tried again."},
      Field{"reason", &Withdrawal::reason,
            "Why, as one word: that of the condition that tells whether it is injected."},
      Field{"message", &Withdrawal::message, "Why, and what to do."},
      Field{"observedGeneration", &Withdrawal::observed_generation, "metadata.generation that was tried."},
      Field{"repositoryGeneration", &Withdrawal::repository_generation, "That of the Repository."},
      Field{"settings", &Withdrawal::settings, "Fingerprint of the chart's settings that were tried."},
      Field{"attempts", &Withdrawal::attempts, "How often in a row it did not work."},
      Field{"since", &Withdrawal::since, "When it was taken out, or last refused."},
      Field{"retryAt", &Withdrawal::retry_at, "When it is tried again."}};
}

}  // namespace stash::api
