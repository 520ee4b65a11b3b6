#pragma once
#include <atomic>
#include <chrono>

namespace stash::kube {

/// The time in which a process leads. It is over when somebody ends it, and when it has run out, which whoever stood
/// still meanwhile notices at the first look afterwards and not only when its leader's thread comes to. Over is over:
/// nothing makes it longer then. Any thread.
class Term {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Without a limit until there is one.
  Term() = default;
  Term(const Term&) = delete;
  Term& operator=(const Term&) = delete;

  bool over() const {
    if (!over_ && std::chrono::steady_clock::now() >= limit_.load()) over_ = true;
    return over_;
  }
  void end() { over_ = true; }
  void set_limit(Time limit) { limit_ = limit; }

 private:
  mutable std::atomic<bool> over_{false};
  std::atomic<Time> limit_{Time::max()};
};

}  // namespace stash::kube
