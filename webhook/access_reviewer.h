#pragma once
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "kube/api.h"
#include "webhook/access_review.h"

namespace stash::webhook {

/// Asks the API server what somebody may do, by SubjectAccessReviews. Thread-safe: each call borrows one of a few
/// connections, which are made when they are needed and then kept.
class AccessReviewer {
 public:
  struct Options {
    std::size_t connections = 8;
    std::size_t callers = 64;  ///< at work or waiting for a connection at the same time; more are turned away at once
    std::chrono::milliseconds deadline{6'000};  ///< of a whole call; within a second of it the call ends
  };
  explicit AccessReviewer(kube::Config config) : AccessReviewer(std::move(config), Options()) {}
  AccessReviewer(kube::Config config, Options options);

  /// Whether the user has each of these rights, in their order. Blocks until then, or up to the deadline.
  /// Errors: timed_out (too many callers, too), else those of kube::Api::create.
  Result<std::vector<bool>> ask(const Json& user_info, const std::vector<Right>& rights);

 private:
  using Connection = std::unique_ptr<kube::Api>;
  Result<Connection> borrow(std::chrono::steady_clock::time_point until);
  void give_back(Connection connection);

  const kube::Config config_;
  const Options options_;
  std::mutex mutex_;
  std::condition_variable given_back_;
  std::vector<Connection> idle_;
  std::size_t borrowed_ = 0, callers_ = 0;
};

}  // namespace stash::webhook
