#include "kube/watch_event.h"

#include <fmt/format.h>

#include <optional>

#include "kube/request.h"

namespace stash::kube {

namespace {

std::optional<WatchType> type_of(std::string_view name) {
  if (name == "ADDED") return WatchType::added;
  if (name == "MODIFIED") return WatchType::modified;
  if (name == "DELETED") return WatchType::deleted;
  if (name == "BOOKMARK") return WatchType::bookmark;
  return std::nullopt;
}

Error error_event(const Json& status, std::string_view doing) {
  const std::string reason = string_at(status, {"reason"});
  auto code = static_cast<int>(int_at(status, {"code"}, 500));
  // The watch cache has sent Expired with other codes; the reason is what client-go goes by, too.
  if (reason == "Expired" || reason == "Gone") code = 410;
  return error_of(code, "", dump_json(status), doing);
}

}  // namespace

Result<WatchEvent> decode_watch_event(std::string_view line, std::string_view doing) {
  auto event = with_context(parse_json(line), doing);
  if (!event) return std::unexpected(event.error());
  const std::string type = string_at(*event, {"type"});
  const Json* object = at(*event, {"object"});
  if (object == nullptr || !object->is_object()) {
    return fail(ErrorCode::invalid, fmt::format("{}: a watch event without an object", doing));
  }
  if (type == "ERROR") return std::unexpected(error_event(*object, doing));
  const auto known = type_of(type);
  if (!known) return fail(ErrorCode::invalid, fmt::format("{}: a watch event of unknown type \"{}\"", doing, type));
  return WatchEvent{*known, std::move(event->find("object").value())};
}

}  // namespace stash::kube
