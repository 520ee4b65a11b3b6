#include "sidecar/cache_cap.h"

#include <catch2/catch.hpp>

namespace stash::sidecar {
namespace {

constexpr std::uint64_t kMi = 1 << 20;

api::RuntimeSettings limited(const char* resource, const char* amount) {
  api::RuntimeSettings runtime;
  runtime.container["resources"]["limits"][resource] = amount;
  return runtime;
}

TEST_CASE("restic's cache gets half of what /tmp may take before the kubelet evicts the pod",
          "[sidecar][cache][F47][I3]") {
  CHECK(cache_cap({}, {}) == 2048 * kMi);
  CHECK(cache_cap({"", "512Mi", false}, {}) == 256 * kMi);
  CHECK(cache_cap({"", "8Gi", false}, {}) == 4096 * kMi);
  CHECK(cache_cap({}, limited("ephemeral-storage", "100Mi")) == 50 * kMi);
  CHECK(cache_cap({"", "1Gi", false}, limited("ephemeral-storage", "100Mi")) == 50 * kMi);
  CHECK(cache_cap({"", "100Mi", false}, limited("ephemeral-storage", "1Gi")) == 50 * kMi);
}

TEST_CASE("a cache in memory leaves most of the container's memory to restic", "[sidecar][cache][F47][I3]") {
  CHECK(cache_cap({"Memory", "", false}, {}) == 256 * kMi);
  CHECK(cache_cap({"Memory", "", false}, limited("memory", "400Mi")) == 100 * kMi);
  CHECK(cache_cap({"Memory", "", false}, limited("ephemeral-storage", "1Mi")) == 256 * kMi);
  CHECK(cache_cap({"Memory", "64Mi", false}, limited("memory", "400Mi")) == 32 * kMi);
}

TEST_CASE("a limit that is none leaves the usual cap", "[sidecar][cache]") {
  CHECK(cache_cap({"", "much", false}, limited("ephemeral-storage", "0")) == 2048 * kMi);
  CHECK(cache_cap({"", "6E", false}, {}) == 1ULL << 60);
}

}  // namespace
}  // namespace stash::sidecar
