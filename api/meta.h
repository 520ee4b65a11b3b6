#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/resource.h"
#include "base/json.h"
#include "base/time.h"

namespace stash::api {

struct OwnerReference {
  std::string api_version, kind, name, uid;
  bool controller = false;
  friend bool operator==(const OwnerReference&, const OwnerReference&) = default;
};

/// The parts of metav1.ObjectMeta that decisions read.
struct ObjectMeta {
  std::string name, ns, uid, resource_version;
  std::int64_t generation = 0;
  TimePoint created{};
  bool being_deleted = false;
  std::map<std::string, std::string> labels, annotations;
  std::vector<std::string> finalizers;
  std::vector<OwnerReference> owners;

  ObjectRef ref() const { return {ns, name}; }
  friend bool operator==(const ObjectMeta&, const ObjectMeta&) = default;
};

/// Reads `metadata` of any object; whatever is missing or of a wrong type stays empty, for the API server has
/// already validated it.
ObjectMeta meta_of(const Json& object);

/// metav1.Condition (https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/#condition-v1-meta).
struct Condition {
  std::string type;
  std::string status;  ///< "True", "False", "Unknown"
  std::string reason;  ///< CamelCase
  std::string message;
  std::int64_t observed_generation = 0;
  TimePoint last_transition{};
  friend bool operator==(const Condition&, const Condition&) = default;
};

const Condition* find_condition(const std::vector<Condition>& conditions, std::string_view type);
/// Adds or replaces by type; keeps last_transition when the status stays the same. True when anything but
/// observed_generation changed.
bool set_condition(std::vector<Condition>& conditions, Condition condition);

}  // namespace stash::api
