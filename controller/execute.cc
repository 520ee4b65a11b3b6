#include "controller/execute.h"

#include <cstdio>
#include <map>

#include "base/log.h"
#include "kube/events.h"

namespace stash::controller {
namespace {

constexpr std::string_view kFieldManager = "stash-controller";

Result<Json> send(kube::Api& api, const Write& write, const Json& body) {
  switch (write.verb) {
    case Write::Verb::apply:
      return api.apply(write.resource, write.ref, body, kFieldManager);
    case Write::Verb::create: {
      auto created = api.create(write.resource, write.ref.ns, body);
      if (!created && created.error().code == ErrorCode::already_exists) return Json::object();
      return created;
    }
    case Write::Verb::merge_patch:
      return api.merge_patch(write.resource, write.ref, body, write.subresource, write.field_manager);
    case Write::Verb::remove: {
      const auto removed = api.remove(write.resource, write.ref, {.uid = write.uid});
      if (removed || removed.error().code == ErrorCode::not_found || removed.error().code == ErrorCode::conflict) {
        return Json::object();
      }
      return std::unexpected(removed.error());
    }
    case Write::Verb::evict: {
      const auto evicted = api.evict(write.ref, write.uid);
      if (evicted || evicted.error().code == ErrorCode::not_found || evicted.error().code == ErrorCode::conflict) {
        return Json::object();
      }
      return std::unexpected(evicted.error());
    }
  }
  return Json::object();
}

}  // namespace

Result<void> execute(kube::Api& api, const Plan& plan, const Json& about, const ExecuteOptions& options,
                     const Clock& clock, std::size_t* done) {
  if (plan.empty()) return {};
  const std::string name =
      fmt::format("{} {}/{}", string_at(about, {"kind"}), string_at(about, {"metadata", "namespace"}),
                  string_at(about, {"metadata", "name"}));
  if (options.dry_run) {
    fmt::print("plan of {}:\n{}", name, render_plan(plan));
    std::fflush(stdout);
    return {};
  }
  if (log_enabled(LogLevel::debug)) log_debug("plan of {}: {}", name, render_plan(plan));

  std::map<std::pair<std::string_view, api::ObjectRef>, std::string> versions;
  for (const Write& write : plan.writes) {
    const auto key = std::pair(write.resource.plural, write.ref);
    Json body = write.body;
    if (const auto known = versions.find(key); known != versions.end() && write.verb == Write::Verb::merge_patch) {
      body["metadata"]["resourceVersion"] = known->second;
    }
    TRY(const Json written, send(api, write, body));
    if (write.verb == Write::Verb::apply || write.verb == Write::Verb::merge_patch)
      versions[key] = string_at(written, {"metadata", "resourceVersion"});
    if (done != nullptr) ++*done;
  }
  for (const Note& note : plan.notes) {
    log_info("{}: {}: {}", name, note.reason, note.message);
    const auto recorded =
        kube::record_event(api, about, note.warning ? kube::EventType::warning : kube::EventType::normal, note.reason,
                           note.message, options.component, clock.now());
    if (!recorded) log_warning("{}: writing an event: {}", name, recorded.error().message);
  }
  return {};
}

}  // namespace stash::controller
