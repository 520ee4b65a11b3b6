#include "controller/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace stash::controller {

struct Metrics::Impl {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& reconciles = prometheus::BuildCounter()
                                                            .Name("stash_controller_reconciles_total")
                                                            .Help("Looks at an object, by kind and result")
                                                            .Register(registry);
  prometheus::Family<prometheus::Gauge>& depth = prometheus::BuildGauge()
                                                     .Name("stash_controller_queue_depth")
                                                     .Help("Objects that wait for a look, due and delayed, by kind")
                                                     .Register(registry);
  prometheus::Gauge& leader = prometheus::BuildGauge()
                                  .Name("stash_controller_leader")
                                  .Help("1 when this process is the one that writes")
                                  .Register(registry)
                                  .Add({});
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::count_reconcile(std::string_view kind, std::string_view result) {
  impl_->reconciles.Add({{"kind", std::string(kind)}, {"result", std::string(result)}}).Increment();
}

void Metrics::set_queue_depth(std::string_view kind, std::size_t depth) {
  impl_->depth.Add({{"kind", std::string(kind)}}).Set(static_cast<double>(depth));
}

void Metrics::set_leader(bool leading) { impl_->leader.Set(leading ? 1 : 0); }

std::string Metrics::render() { return prometheus::TextSerializer().Serialize(impl_->registry.Collect()); }

}  // namespace stash::controller
