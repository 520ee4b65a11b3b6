#pragma once
#include <string_view>

#include "base/time.h"
#include "kube/api.h"

namespace stash::kube {

enum class EventType { normal, warning };

/// Writes a core v1 Event on `object` (its apiVersion, kind, metadata). Best effort: an error is returned for the log
/// and never stops the work. Messages over 1,024 bytes are cut (the API server's limit).
/// `component` is the source shown by kubectl describe.
Result<void> record_event(Api& api, const Json& object, EventType type, std::string_view reason,
                          std::string_view message, std::string_view component, TimePoint now);

}  // namespace stash::kube
