#include "unit/support/metrics_document.h"

#include <catch2/catch.hpp>

#include "webhook/metrics.h"

using namespace stash;

TEST_CASE("docs/metrics.md says type, labels and help of the webhook's metrics", "[webhook][metrics]") {
  webhook::Metrics metrics;
  metrics.count_request("/mutate", "patched", "injected", std::chrono::milliseconds(1));
  metrics.count_api_call("get", "200");
  INFO("docs/metrics.md is out of date; run: make golden");
  CHECK(test::wrong_rows(metrics.render({}, std::nullopt, true)) == std::vector<std::string>{});
}
