#include "kube/event_object.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/text.h"

namespace stash::kube {

namespace {

constexpr std::size_t kMessageLimit = 1'024;
constexpr std::size_t kNameOfObject = 200;  // of 253; the rest is what tells events apart

}  // namespace

Json event_object(const Json& object, std::string_view type, std::string_view reason, std::string_view message,
                  std::string_view component, TimePoint now) {
  const std::string ns = string_at(object, {"metadata", "namespace"}, "default");
  const std::string name = string_at(object, {"metadata", "name"});
  const std::string uid = string_at(object, {"metadata", "uid"});
  const auto nanoseconds = static_cast<std::uint64_t>(now.time_since_epoch().count());
  // Two events in one nanosecond differ by what they say.
  const std::uint64_t what = fnv1a(fmt::format("{}/{}/{}", uid, reason, message));
  Json involved = {{"apiVersion", string_at(object, {"apiVersion"})},
                   {"kind", string_at(object, {"kind"})},
                   {"name", name},
                   {"uid", uid},
                   {"resourceVersion", string_at(object, {"metadata", "resourceVersion"})}};
  if (at(object, {"metadata", "namespace"}) != nullptr) involved["namespace"] = ns;
  return {{"apiVersion", "v1"},
          {"kind", "Event"},
          {"metadata",
           {{"name", fmt::format("{}.{:x}{:04x}", shorten_name(name, kNameOfObject), nanoseconds, what & 0xffff)},
            {"namespace", ns}}},
          {"involvedObject", std::move(involved)},
          {"type", type},
          {"reason", reason},
          {"message", first_bytes(message, kMessageLimit)},
          {"source", {{"component", component}}},
          {"reportingComponent", component},
          {"reportingInstance", ""},
          {"firstTimestamp", format_time(now)},
          {"lastTimestamp", format_time(now)},
          {"count", 1}};
}

}  // namespace stash::kube
