#include "kube/events.h"

#include "kube/event_object.h"

namespace stash::kube {

Result<void> record_event(Api& api, const Json& object, EventType type, std::string_view reason,
                          std::string_view message, std::string_view component, TimePoint now) {
  const Json event =
      event_object(object, type == EventType::normal ? "Normal" : "Warning", reason, message, component, now);
  TRY_VOID(api.create(api::kEvents, string_at(event, {"metadata", "namespace"}), event));
  return {};
}

}  // namespace stash::kube
