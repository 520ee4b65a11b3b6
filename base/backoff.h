#pragma once
#include <chrono>
#include <random>

namespace stash {

/// Waiting times between tries: `first` doubling up to `most`, each varied by +-20 % so that many clients spread.
/// Not thread-safe.
class Backoff {
 public:
  struct Limits {
    std::chrono::milliseconds first{800};
    std::chrono::milliseconds most{30'000};
  };
  Backoff();
  explicit Backoff(Limits limits, unsigned seed = std::random_device{}());
  std::chrono::milliseconds next();
  void reset();

 private:
  Limits limits_;
  std::chrono::milliseconds base_;
  std::minstd_rand random_;
};

}  // namespace stash
