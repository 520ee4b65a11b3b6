#include "base/backoff.h"

#include <algorithm>

namespace stash {

Backoff::Backoff() : Backoff(Limits{}) {}

Backoff::Backoff(Limits limits, unsigned seed) : limits_(limits), base_(limits.first), random_(seed) {}

std::chrono::milliseconds Backoff::next() {
  std::uniform_real_distribution<double> factor(0.8, 1.2);
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(base_ * factor(random_));
  base_ = std::min(base_ * 2, limits_.most);
  return wait;
}

void Backoff::reset() { base_ = limits_.first; }

}  // namespace stash
