#include "controller/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace stash::controller {
namespace {

const prometheus::Histogram::BucketBoundaries kDurations{.001, .005, .025, .1, .5, 2.5, 10, 30};

template <class Object>
std::vector<prometheus::ClientMetric::Label> labels_of(const Object& object) {
  return {{"namespace", object.ns}, {"name", object.name}};
}

/// The one whose labels say more.
std::vector<prometheus::ClientMetric::Label> info_labels(const BackupGauges& backup) {
  auto labels = labels_of(backup);
  labels.push_back({"repository", backup.repository});
  labels.push_back({"target_kind", backup.target_kind});
  labels.push_back({"target_name", backup.target_name});
  return labels;
}
std::vector<prometheus::ClientMetric::Label> info_labels(const RepositoryGauges& repository) {
  return labels_of(repository);
}

template <class Object>
void add_families(std::vector<prometheus::MetricFamily>& families, std::span<const GaugeOf<Object>> gauges,
                  const std::vector<Object>& objects) {
  for (const GaugeOf<Object>& gauge : gauges) {
    prometheus::MetricFamily family{
        std::string(gauge.name), std::string(gauge.help), prometheus::MetricType::Gauge, {}};
    for (const Object& object : objects) {
      const auto& value = object.*gauge.value;
      if (!value) continue;
      prometheus::ClientMetric metric;
      metric.label = gauge.name.ends_with("_info") ? info_labels(object) : labels_of(object);
      metric.gauge.value = *value;
      family.metric.push_back(std::move(metric));
    }
    if (!family.metric.empty()) families.push_back(std::move(family));
  }
}

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& reconciles =
      prometheus::BuildCounter()
          .Name("stash_controller_reconciles_total")
          .Help("Looks at an object, by kind and result: ok or the kind of error")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& durations = prometheus::BuildHistogram()
                                                             .Name("stash_controller_reconcile_duration_seconds")
                                                             .Help("Time that a look at an object took, by kind")
                                                             .Register(registry);
  prometheus::Family<prometheus::Gauge>& depth =
      prometheus::BuildGauge()
          .Name("stash_controller_queue_depth")
          .Help("Objects that wait for a look of the leader, by kind and state: due, or delayed until later")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& api_calls =
      prometheus::BuildCounter()
          .Name("stash_controller_api_requests_total")
          .Help(
              "Requests to the API server by verb and code: the HTTP status, or unreachable, timed_out, cancelled; a "
              "watch "
              "counts when it ends, commands in containers are not in it")
          .Register(registry);
  prometheus::Gauge& leader = prometheus::BuildGauge()
                                  .Name("stash_controller_leader")
                                  .Help("1 when this process is the one that writes")
                                  .Register(registry)
                                  .Add({});
  prometheus::Gauge& synced = prometheus::BuildGauge()
                                  .Name("stash_controller_synced")
                                  .Help("1 when all caches have been filled; nothing is told about objects before")
                                  .Register(registry)
                                  .Add({});
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::count_reconcile(std::string_view kind, std::string_view result, std::chrono::duration<double> took) {
  impl_->reconciles.Add({{"kind", std::string(kind)}, {"result", std::string(result)}}).Increment();
  impl_->durations.Add({{"kind", std::string(kind)}}, kDurations).Observe(took.count());
}

void Metrics::set_queue_depth(std::string_view kind, std::size_t due, std::size_t delayed) {
  impl_->depth.Add({{"kind", std::string(kind)}, {"state", "due"}}).Set(static_cast<double>(due));
  impl_->depth.Add({{"kind", std::string(kind)}, {"state", "delayed"}}).Set(static_cast<double>(delayed));
}

void Metrics::set_leader(bool leading) { impl_->leader.Set(leading ? 1 : 0); }

void Metrics::count_api_call(std::string_view verb, std::string_view code) {
  impl_->api_calls.Add({{"verb", std::string(verb)}, {"code", std::string(code)}}).Increment();
}

std::string Metrics::render(const ObjectGauges& objects, bool synced) {
  impl_->synced.Set(synced ? 1 : 0);
  auto families = impl_->registry.Collect();
  add_families(families, backup_gauges(), objects.backups);
  add_families(families, repository_gauges(), objects.repositories);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace stash::controller
