#include "webhook/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <map>
#include <mutex>

namespace stash::webhook {
namespace {

using prometheus::Registry;

prometheus::Gauge& gauge(Registry& registry, const std::string& name, const std::string& help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

const prometheus::Histogram::BucketBoundaries kDurations{.00025, .0005, .001, .0025, .005, .01,
                                                         .025,   .1,    .5,   1,     2.5,  10};

}  // namespace

struct Metrics::Impl {
  Registry registry;
  /// What the library has for these labels. It makes maps of them and checks their names whenever it is asked.
  std::mutex mutex;
  std::map<std::array<std::string, 3>, prometheus::Counter*> known_requests;  ///< by path, outcome and reason
  std::map<std::string, prometheus::Histogram*> known_durations;
  prometheus::Family<prometheus::Counter>& requests = prometheus::BuildCounter()
                                                          .Name("stash_webhook_requests_total")
                                                          .Help(
                                                              "Admission reviews by path (/mutate, /warn, /authorize), "
                                                              "outcome (patched, unchanged, skipped, unsure, refused, "
                                                              "malformed) and reason")
                                                          .Register(registry);
  prometheus::Family<prometheus::Histogram>& duration =
      prometheus::BuildHistogram()
          .Name("stash_webhook_request_duration_seconds")
          .Help("From the whole request read to its answer made, by path; /authorize asks the API server meanwhile")
          .Register(registry);
  prometheus::Gauge& certificate = gauge(registry, "stash_webhook_certificate_expiry_timestamp_seconds",
                                         "Unix time at which the served certificate ends; 0: none is served");
  prometheus::Gauge& synced =
      gauge(registry, "stash_webhook_synced", "1 while all caches are filled and the API server is heard of");
  prometheus::Gauge& connections = gauge(registry, "stash_webhook_connections", "Open connections");
  prometheus::Gauge& threads = gauge(registry, "stash_webhook_threads", "Threads that serve");
  prometheus::Counter& shed = prometheus::BuildCounter()
                                  .Name("stash_webhook_connections_shed_total")
                                  .Help("Connections closed to make room for others")
                                  .Register(registry)
                                  .Add({});
  prometheus::Family<prometheus::Counter>& api_calls = prometheus::BuildCounter()
                                                           .Name("stash_webhook_api_requests_total")
                                                           .Help(
                                                               "Requests to the API server by verb and code: the HTTP "
                                                               "status, or unreachable, timed_out, cancelled; a watch "
                                                               "counts when it ends")
                                                           .Register(registry);
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::count_request(const std::string& path, const std::string& outcome, const std::string& reason,
                            std::chrono::duration<double> took) {
  const std::unique_lock lock(impl_->mutex);
  prometheus::Counter*& requests = impl_->known_requests[{path, outcome, reason}];
  if (requests == nullptr) requests = &impl_->requests.Add({{"path", path}, {"outcome", outcome}, {"reason", reason}});
  prometheus::Histogram*& duration = impl_->known_durations[path];
  if (duration == nullptr) duration = &impl_->duration.Add({{"path", path}}, kDurations);
  requests->Increment();
  duration->Observe(took.count());
}

void Metrics::count_api_call(std::string_view verb, std::string_view code) {
  impl_->api_calls.Add({{"verb", std::string(verb)}, {"code", std::string(code)}}).Increment();
}

std::string Metrics::render(const ServerStats& stats, std::optional<TimePoint> certificate_ends, bool synced) {
  impl_->connections.Set(static_cast<double>(stats.connections));
  impl_->threads.Set(static_cast<double>(stats.threads));
  impl_->shed.Increment(static_cast<double>(stats.shed) - impl_->shed.Value());
  impl_->synced.Set(synced ? 1 : 0);
  const auto ends = certificate_ends ? certificate_ends->time_since_epoch() : TimePoint::duration::zero();
  impl_->certificate.Set(std::chrono::duration<double>(ends).count());
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace stash::webhook
