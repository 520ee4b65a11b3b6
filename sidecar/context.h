#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "kube/api.h"
#include "kube/events.h"
#include "sidecar/claim.h"
#include "sidecar/metrics_text.h"
#include "sidecar/repository_places.h"
#include "sidecar/restic.h"

namespace stash::sidecar {

/// What the subcommands work with: made by main, or by a test. References outlive all work.
struct Context {
  kube::Api& api;
  PodIdentity pod;
  ResticPlace restic;
  RepositoryPlaces repositories{};
  bool metrics = true;
  std::string pushgateway_url;  ///< "" for none
  const Clock& clock = system_clock();
  std::function<bool()> stop;                            ///< SIGTERM came
  std::function<void(std::chrono::milliseconds)> pause;  ///< waits, or less when `stop` becomes true
};

/// While it lives, SIGTERM ends calls to the API server with `cancelled`: for waiting. Writes that say how things ended
/// are made without it.
class EndsOnStop {
 public:
  explicit EndsOnStop(Context& context);
  ~EndsOnStop();
  EndsOnStop(const EndsOnStop&) = delete;
  EndsOnStop& operator=(const EndsOnStop&) = delete;

 private:
  kube::Api& api_;
};

/// Best effort: what goes wrong is logged.
void tell_event(Context& context, const Json& object, kube::EventType type, std::string_view reason,
                std::string_view message, std::string_view component);

/// What a push does to metrics of the group that it does not name.
enum class Pushed { replaces, adds };
/// PUT, or POST where it adds, to the Pushgateway (contract 11.7); best effort, at most 10 s. Why it did not work,
/// which is logged too: "" when it did, nullopt when metrics are not wanted.
std::optional<std::string> push_metrics(Context& context, std::string_view job, std::string_view host,
                                        const std::string& text, Pushed pushed = Pushed::replaces);

/// Restic::open with the Secret and the volume of this Repository, in a pod of a target of `kind`. `cache_cap` as of
/// cache_cap.h, `dead_owners` as of ResticPlace.
ResticResult<Restic> open_restic(const Context& context, const api::Repository& repository, Restic::Access access,
                                 const ResticVersion& version, std::string_view kind, std::uint64_t cache_cap,
                                 GoOn go_on, std::function<DeadOwners()> dead_owners = {});

/// Reads an object, over outages: unreachable, timed_out and throttled are retried until it works or `go_on` is false
/// (then `cancelled`). All other errors are returned.
Result<Json> read_patiently(Context& context, const api::Resource& resource, const api::ObjectRef& ref,
                            const GoOn& go_on);

/// Whether trying again later can help without anybody's change.
bool is_outage(ErrorCode code);

}  // namespace stash::sidecar
