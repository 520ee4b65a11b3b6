#include "sidecar/context.h"

#include "base/backoff.h"
#include "base/http.h"
#include "base/log.h"

namespace stash::sidecar {
namespace {

// The signal itself wakes a sidecar that waits; this is for one that comes in the moment before. More often would be
// most of what a sidecar at rest does.
constexpr std::chrono::seconds kAskAgain{2};

}  // namespace

EndsOnStop::EndsOnStop(Context& context) : api_(context.api) { api_.set_cancel(context.stop, kAskAgain); }
EndsOnStop::~EndsOnStop() { api_.set_cancel({}); }

void tell_event(Context& context, const Json& object, kube::EventType type, std::string_view reason,
                std::string_view message, std::string_view component) {
  const auto told = kube::record_event(context.api, object, type, reason, message, component, context.clock.now());
  if (!told) log_warning("event {}: {}", reason, told.error().message);
}

std::optional<std::string> push_metrics(Context& context, std::string_view job, std::string_view host,
                                        const std::string& text, Pushed pushed) {
  if (!context.metrics || context.pushgateway_url.empty()) return std::nullopt;
  HttpRequest request;
  request.method = pushed == Pushed::replaces ? "PUT" : "POST";
  request.url = push_url(context.pushgateway_url, job, context.pod.ns, host);
  request.headers = {{"Content-Type", "text/plain; version=0.0.4"}};
  request.body = text;
  request.connect_timeout = std::chrono::seconds(5);
  request.total_timeout = std::chrono::seconds(10);
  HttpClient client({});
  const auto response = client.send(request);
  if (response && response->status / 100 == 2) return "";
  std::string problem = fmt::format("metrics were not pushed to {}: ", context.pushgateway_url);
  problem +=
      response ? fmt::format("HTTP {} {}", response->status, scrub(response->body, {})) : response.error().message;
  log_warning("{}", problem);
  return problem;
}

ResticResult<Restic> open_restic(const Context& context, const api::Repository& repository, Restic::Access access,
                                 const ResticVersion& version, std::string_view kind, std::uint64_t cache_cap,
                                 GoOn go_on, std::function<DeadOwners()> dead_owners) {
  const std::string& name = repository.metadata.name;
  ResticPlace place = context.restic;
  if (!has_unique_name(kind)) place.own_host_name.clear();
  place.dead_owners = std::move(dead_owners);
  place.clock_skew = [&api = context.api] { return api.clock_skew(); };
  place.settings.cache_cap = cache_cap;
  place.settings.secret_directory = secret_directory(context.repositories, name, place.settings.secret_directory);
  return Restic::open(backend_here(context.repositories, name, repository.spec.backend), access, version,
                      std::move(place), std::move(go_on));
}

bool is_outage(ErrorCode code) {
  return code == ErrorCode::unreachable || code == ErrorCode::timed_out || code == ErrorCode::throttled;
}

Result<Json> read_patiently(Context& context, const api::Resource& resource, const api::ObjectRef& ref,
                            const GoOn& go_on) {
  Backoff backoff;
  while (true) {
    auto object = context.api.get(resource, ref);
    if (object || !is_outage(object.error().code)) return object;
    log_warning("{}; trying again", object.error().message);
    auto pause = backoff.next();
    if (object.error().retry_after) pause = std::max<std::chrono::milliseconds>(pause, *object.error().retry_after);
    context.pause(pause);
    if (!go_on()) return fail(ErrorCode::cancelled, "stopped while waiting for the API server");
  }
}

}  // namespace stash::sidecar
