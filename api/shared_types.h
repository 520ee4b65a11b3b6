#pragma once
#include <string>
#include <vector>

#include "base/json.h"

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

struct TempDir {
  std::string medium;      ///< "" or "Memory"
  std::string size_limit;  ///< quantity text, "" for none
  bool disable_caching = false;
  friend bool operator==(const TempDir&, const TempDir&) = default;
};

/// runtimeSettings: the embedded Kubernetes types stay raw.
struct RuntimeSettings {
  Json container = Json::object();  ///< resources, probes, lifecycle, securityContext, nice, ionice, env, envFrom
  Json pod = Json::object();
  friend bool operator==(const RuntimeSettings&, const RuntimeSettings&) = default;
};

}  // namespace stash::api
