#include "inject/resources.h"

#include <algorithm>
#include <string>
#include <vector>

#include "api/quantity.h"
#include "inject/covers.h"
#include "inject/shape.h"
#include "inject/workload_view.h"

namespace stash::inject {
namespace {

constexpr std::string_view kCpu = "cpu", kMemory = "memory", kEphemeralStorage = "ephemeral-storage";
constexpr std::string_view kResources[] = {kCpu, kMemory, kEphemeralStorage};
constexpr std::string_view kOfQosClass[] = {kCpu, kMemory};

/// The quantity as text; "" for none, and for zero, which Kubernetes takes for none where it judges a pod.
std::string amount_in(const Json& amounts, std::string_view resource) {
  const Json* value = at(amounts, {resource});
  if (value == nullptr || !(value->is_string() || value->is_number())) return "";
  std::string text = value->is_string() ? value->get<std::string>() : dump_json(*value);
  return api::parse_quantity(text).value_or(0) > 0 ? text : "";
}

std::string limit_of(const Json& container, std::string_view resource) {
  return amount_in(object_at(container, {"resources", "limits"}), resource);
}

/// As the API server will have it in the pod: a limit alone is a request too.
std::string request_of(const Json& container, std::string_view resource) {
  std::string stated = amount_in(object_at(container, {"resources", "requests"}), resource);
  return stated.empty() ? limit_of(container, resource) : stated;
}

bool is_above(const std::string& amount, const std::string& other) {
  return api::parse_quantity(amount).value_or(0) > api::parse_quantity(other).value_or(0);
}

/// The containers as the author has them.
class AuthorsPod {
 public:
  explicit AuthorsPod(const PodTemplate& pod) : pod_(pod_spec(pod)) {
    for (const Json& container : containers_of(pod)) {
      if (!is_sidecar(container)) containers_.push_back(&container);
    }
    for (const Json& container : init_containers_of(pod)) {
      if (!is_init_container(container)) init_containers_.push_back(&container);
    }
  }

  /// Nor do init containers count then.
  bool has_containers_without_any() const {
    return std::ranges::all_of(containers_, [](const Json* each) { return object_at(*each, {"resources"}).empty(); });
  }
  bool is_bounded_as_a_whole() const { return !object_at(pod_, {"resources"}).empty(); }

  bool all_request(std::string_view resource) const {
    return !containers_.empty() && std::ranges::none_of(containers_, [&](const Json* container) {
      return request_of(*container, resource).empty();
    });
  }
  bool all_limit(std::string_view resource) const {
    return !containers_.empty() && std::ranges::none_of(containers_, [&](const Json* container) {
      return limit_of(*container, resource).empty();
    });
  }
  bool any_limits(std::string_view resource) const {
    return std::ranges::any_of(containers_,
                               [&](const Json* container) { return !limit_of(*container, resource).empty(); });
  }
  bool is_guaranteed() const {
    return !containers_.empty() && std::ranges::all_of(containers_, is_guaranteed_container) &&
           std::ranges::all_of(init_containers_, is_guaranteed_container);
  }

 private:
  static bool is_guaranteed_container(const Json* container) {
    return std::ranges::all_of(kOfQosClass, [&](std::string_view resource) {
      const std::string limit = limit_of(*container, resource);
      return !limit.empty() && api::same_quantity(limit, request_of(*container, resource));
    });
  }

  const Json& pod_;
  std::vector<const Json*> containers_, init_containers_;
};

/// Request and limit of one resource, by the defaults; "" for none.
struct Share {
  std::string request, limit;
};

Share default_share(const AuthorsPod& pod, const DefaultResources& defaults, std::string_view resource,
                    bool guaranteed) {
  if (guaranteed) {
    for (const Json* amounts : {&defaults.guaranteed, &defaults.limits, &defaults.requests}) {
      const std::string amount = amount_in(*amounts, resource);
      if (!amount.empty()) return {amount, amount};
    }
    return {};
  }
  Share share;
  const bool limits = pod.all_limit(resource) || (resource == kEphemeralStorage && pod.any_limits(resource));
  if (limits) share.limit = amount_in(defaults.limits, resource);
  // Without a request a limit would be one.
  if (pod.all_request(resource) || limits) share.request = amount_in(defaults.requests, resource);
  return share;
}

/// Fits the defaults to what the author of the BackupConfiguration wants.
Share fitted(Share share, const Json& wished_requests, const Json& wished_limits, std::string_view resource,
             bool guaranteed) {
  const std::string request = amount_in(wished_requests, resource);
  if (!share.limit.empty() && !request.empty() && (guaranteed || is_above(request, share.limit))) share.limit = request;
  if (!amount_in(wished_limits, resource).empty()) share.request = "";  // the limit is the request too
  if (!share.limit.empty() && is_above(share.request, share.limit)) share.request = share.limit;
  return share;
}

}  // namespace

Result<DefaultResources> parse_default_resources(std::string_view json) {
  TRY(const Json value, parse_json(json));
  const Shape amounts = object({{kCpu, quantity()}, {kMemory, quantity()}, {kEphemeralStorage, quantity()}});
  TRY(const Json cleaned,
      clean(value, object({{"requests", amounts}, {"limits", amounts}, {"guaranteed", amounts}}), ""));
  return DefaultResources{.requests = object_at(cleaned, {"requests"}),
                          .limits = object_at(cleaned, {"limits"}),
                          .guaranteed = object_at(cleaned, {"guaranteed"})};
}

Json container_resources(const PodTemplate& pod, const DefaultResources& defaults, const Json& wishes) {
  Json requests = object_at(wishes, {"requests"});
  Json limits = object_at(wishes, {"limits"});
  const AuthorsPod authors(pod);
  if (!authors.is_bounded_as_a_whole() && !authors.has_containers_without_any()) {
    const Json wished_requests = requests, wished_limits = limits;
    const bool pod_is_guaranteed = authors.is_guaranteed();
    for (const std::string_view resource : kResources) {
      const bool guaranteed = pod_is_guaranteed && resource != kEphemeralStorage;
      const Share share = fitted(default_share(authors, defaults, resource, guaranteed), wished_requests, wished_limits,
                                 resource, guaranteed);
      if (wished_limits.empty() && !share.limit.empty()) limits[std::string(resource)] = share.limit;
      if (wished_requests.empty() && !share.request.empty()) requests[std::string(resource)] = share.request;
    }
  }
  Json resources = Json::object();
  if (!limits.empty()) resources["limits"] = std::move(limits);
  if (!requests.empty()) resources["requests"] = std::move(requests);
  return resources;
}

bool same_resources(const Json& left, const Json& right) {
  const Json none = Json::object();
  const Json& one = left.is_object() ? left : none;
  const Json& other = right.is_object() ? right : none;
  return covers(one, other) && covers(other, one);
}

}  // namespace stash::inject
