#pragma once
#include <chrono>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/json.h"
#include "support/fake_clock.h"

namespace stash::test {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// Numbers by a seed, so that a schedule repeats.
class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  bool chance(int one_in) { return pick(one_in) == 0; }
  bool percent(int of_hundred) { return pick(100) < of_hundred; }
  seconds up_to(seconds most) { return seconds(pick(static_cast<int>(most.count()) + 1)); }

 private:
  std::mt19937 random_;
};

/// Someone wrote who had no right to: what no schedule may bring about.
struct Broken {
  std::string what;
};

/// One session in an API server with versions, and what was in it before, for those who look at old copies.
struct Store {
  std::shared_ptr<const Json> now = std::make_shared<const Json>();  ///< shared with all who have read it
  std::deque<std::shared_ptr<const Json>> earlier;                   ///< newest last, a few

  const Json& session() const { return *now; }

  void put(Json next);
  /// A copy that may be old by some writes.
  std::shared_ptr<const Json> old_copy(Dice& dice) const;
  /// A JSON patch of the status, of the pod `uid`, as the API server does it: all of it or nothing. False: a test
  /// failed.
  bool json_patch(const Json& operations, const std::string& uid);
};

struct Snapshot {
  std::string id, session_uid, host;
};

/// What has happened, so that a test can tell whether its schedules are worth anything.
struct Counts {
  int succeeded = 0, late_applied = 0, late_refused = 0, given_back = 0, stopped_alone = 0;
};

/// What all share: the time, the one session, the one repository.
struct Scene {
  explicit Scene(unsigned seed) : dice(seed) {}
  Dice dice;
  FakeClock clock;
  seconds age{0};  ///< of the session, truly: whatever the clock is set to
  Store store;
  std::vector<Snapshot> repository;
  Counts counts;
};

}  // namespace stash::test
