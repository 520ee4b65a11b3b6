#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"

namespace stash::api {

/// The workload an object points at, always in the object's own namespace.
struct TargetRef {
  std::string api_version, kind, name;
  friend bool operator==(const TargetRef&, const TargetRef&) = default;
};

struct VolumeMount {
  std::string name, mount_path, sub_path;
  friend bool operator==(const VolumeMount&, const VolumeMount&) = default;
};

struct RetentionPolicy {
  std::string name;
  int keep_last = 0, keep_hourly = 0, keep_daily = 0, keep_weekly = 0, keep_monthly = 0, keep_yearly = 0;
  std::vector<std::string> keep_tags;
  bool prune = false, dry_run = false;
  friend bool operator==(const RetentionPolicy&, const RetentionPolicy&) = default;
};

/// Repetition of failed sessions.
struct RetryConfig {
  int max_retry = 0;
  std::string delay;  ///< Go duration text, "" for none
  friend bool operator==(const RetryConfig&, const RetryConfig&) = default;
};

struct TempDir {
  std::string medium;      ///< "" or "Memory"
  std::string size_limit;  ///< quantity text, "" for none
  bool disable_caching = false;
  friend bool operator==(const TempDir&, const TempDir&) = default;
};

struct ExecAction {
  std::vector<std::string> command;
  friend bool operator==(const ExecAction&, const ExecAction&) = default;
};
struct HttpHeader {
  std::string name, value;
  friend bool operator==(const HttpHeader&, const HttpHeader&) = default;
};
struct FormEntry {
  std::string key;
  std::vector<std::string> values;
  friend bool operator==(const FormEntry&, const FormEntry&) = default;
};
/// httpGet and httpPost; body and form only for the latter.
struct HttpAction {
  std::string path, port, host, scheme;
  std::vector<HttpHeader> headers;
  std::string body;
  std::vector<FormEntry> form;
  friend bool operator==(const HttpAction&, const HttpAction&) = default;
};
struct TcpAction {
  std::string port, host;
  friend bool operator==(const TcpAction&, const TcpAction&) = default;
};

/// One action before or after the work on a host (contract 7.5); exactly one of the four in practice.
struct Hook {
  std::optional<ExecAction> exec;
  std::optional<HttpAction> http_get, http_post;
  std::optional<TcpAction> tcp_socket;
  std::string container_name;    ///< for exec; "" for the first container of the pod
  std::string execution_policy;  ///< of post hooks: "", Always, OnSuccess, OnFailure, OnFinalRetryFailure
  std::string timeout;           ///< Go duration text, "" for the default; ours
  friend bool operator==(const Hook&, const Hook&) = default;
};

/// runtimeSettings: the embedded Kubernetes types stay raw.
struct RuntimeSettings {
  Json container = Json::object();  ///< resources, probes, lifecycle, securityContext, nice, ionice, env, envFrom
  Json pod = Json::object();
  friend bool operator==(const RuntimeSettings&, const RuntimeSettings&) = default;
};

/// What was put into a workload kept its pods from running, or the workload from being written, so it is left out: the
/// controller's verdict, which the injector follows for as long as all of it that can be compared is as it was.
struct Withdrawal {
  std::string phase;                       ///< Withdrawn, or Retrying: it is being tried again
  std::string reason, message;             ///< as in the condition StashSidecarInjected or StashInitContainerInjected
  std::int64_t observed_generation = 0;    ///< of the object then
  std::int64_t repository_generation = 0;  ///< of its Repository then
  std::string settings;                    ///< fingerprint of the chart's settings that were tried
  int attempts = 0;                        ///< how often it was left out, or not tried again, in a row
  std::optional<TimePoint> since, retry_at;
  friend bool operator==(const Withdrawal&, const Withdrawal&) = default;
};

}  // namespace stash::api
