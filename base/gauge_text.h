#pragma once
#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What is pushed to a Pushgateway, and where to. Only text: nothing is sent here.
namespace stash {

using MetricLabel = std::pair<std::string_view, std::string_view>;

/// Gauges that share their labels, in Prometheus' text format.
/// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
class GaugeText {
 public:
  explicit GaugeText(const std::vector<MetricLabel>& labels);
  template <class Value>
  void gauge(std::string_view name, std::string_view help, Value value) {
    add(name, help, fmt::format("{}", value));
  }
  template <class Value>
  void gauge(std::string_view name, std::string_view help, const std::optional<Value>& value) {
    if (value) gauge(name, help, *value);
  }
  std::string take() { return std::move(text_); }

 private:
  void add(std::string_view name, std::string_view help, std::string_view value);
  std::string labels_, text_;
};

/// "<base>/metrics/job/<job>/namespace/<ns>": the group of exactly these labels, the first of which is job. A PUT
/// replaces all of a group. Values that a path cannot hold are base64, as the Pushgateway defines it.
/// https://github.com/prometheus/pushgateway#url
std::string push_group_url(std::string_view base, const std::vector<MetricLabel>& group);

}  // namespace stash
