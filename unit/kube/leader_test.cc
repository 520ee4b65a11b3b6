#include "kube/leader.h"

#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "unit/support/api_script.h"

using namespace stash;
using kube::LeaderElection;
using std::chrono::milliseconds;

namespace {

constexpr const char* kLeases = "/apis/coordination.k8s.io/v1/namespaces/stash/leases";
constexpr const char* kLease = "/apis/coordination.k8s.io/v1/namespaces/stash/leases/controller";

/// As the API server would keep it: compare-and-swap on the version. Shared by the candidates of a test.
class LeaseStore {
 public:
  explicit LeaseStore(ApiScript& script) {
    script.on("GET", kLease).always().reply_with([this](const auto&) { return get(); });
    script.on("POST", kLeases).always().reply_with([this](const auto& call) { return create(call.json()); });
    script.on("PATCH", kLease).always().reply_with([this](const auto& call) { return patch(call.json()); });
  }

  std::string holder() const {
    const std::lock_guard lock(mutex_);
    return string_at(lease_, {"spec", "holderIdentity"});
  }
  void hold(const std::string& holder) {
    const std::lock_guard lock(mutex_);
    lease_ = {
        {"metadata", {{"name", "controller"}}},
        {"spec", {{"holderIdentity", holder}, {"leaseTransitions", 3}, {"renewTime", "2000-01-01T00:00:00.000000Z"}}}};
    touch();
  }
  void annotate() {
    const std::lock_guard lock(mutex_);
    touch();
  }
  void break_down() { broken_ = true; }
  Json lease() const {
    const std::lock_guard lock(mutex_);
    return lease_;
  }

 private:
  using Reply = ApiScript::Reply;
  static Reply refuse(int code, const char* reason) {
    return {.status = code, .body = dump_json(status_of(code, reason, reason))};
  }
  void touch() { lease_["metadata"]["resourceVersion"] = std::to_string(++version_); }
  Reply get() {
    const std::lock_guard lock(mutex_);
    if (broken_) return refuse(500, "InternalError");
    return lease_.is_null() ? refuse(404, "NotFound") : Reply{.body = dump_json(lease_)};
  }
  Reply create(const Json& lease) {
    const std::lock_guard lock(mutex_);
    if (broken_) return refuse(500, "InternalError");
    if (!lease_.is_null()) return refuse(409, "AlreadyExists");
    lease_ = lease;
    touch();
    return {.status = 201, .body = dump_json(lease_)};
  }
  Reply patch(const Json& patch) {
    const std::lock_guard lock(mutex_);
    if (broken_) return refuse(500, "InternalError");
    if (string_at(patch, {"metadata", "resourceVersion"}) != std::to_string(version_)) return refuse(409, "Conflict");
    lease_.merge_patch(patch);
    touch();
    return {.body = dump_json(lease_)};
  }

  mutable std::mutex mutex_;
  Json lease_;
  int version_ = 0;
  std::atomic<bool> broken_{false};
};

/// One candidate on a thread of its own.
class Candidate {
 public:
  Candidate(const ApiScript& script, const std::string& identity, milliseconds renew_deadline = milliseconds(1'000))
      : election_(script.config(), {.lease = {"stash", "controller"},
                                    .identity = identity,
                                    .lease_duration = milliseconds(1'500),
                                    .renew_deadline = renew_deadline,
                                    .renew_every = milliseconds(20),
                                    .retry = milliseconds(20)}),
        thread_([this] {
          const bool kept =
              election_.run([this] { return stop_.load(); }, [this](const kube::Term& term) { lead(term); });
          const std::lock_guard lock(mutex_);
          result_ = kept;
          changed_.notify_all();
        }) {}
  ~Candidate() {
    stop_ = true;
    thread_.join();
  }

  bool wait_leading() {
    return wait([this] { return leading_; });
  }
  bool wait_ended() {
    return wait([this] { return result_.has_value(); });
  }
  void stop() { stop_ = true; }
  std::optional<bool> result() const { return result_; }
  bool led() const { return led_; }

 private:
  void lead(const kube::Term& term) {
    std::unique_lock lock(mutex_);
    leading_ = led_ = true;
    changed_.notify_all();
    while (!term.over()) changed_.wait_for(lock, milliseconds(1));
    leading_ = false;
  }
  template <class F>
  bool wait(F&& condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), condition);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> stop_{false};
  bool leading_ = false, led_ = false;
  std::optional<bool> result_;
  LeaderElection election_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a leader bears a silence of eight seconds and gives up well before another one may take over",
          "[kube][leader][F12][I7]") {
  const LeaderElection::Options options;
  CHECK(options.renew_deadline - options.renew_every > milliseconds(8'000));
  CHECK(options.renew_deadline - options.retry > milliseconds(8'000));
  CHECK(options.lease_duration - options.renew_deadline >= milliseconds(3'000));
}

TEST_CASE("the first candidate makes the lease, leads, and releases it when asked to stop", "[kube][leader]") {
  ApiScript script;
  LeaseStore store(script);
  Candidate one(script, "one");
  REQUIRE(one.wait_leading());
  CHECK(store.holder() == "one");
  one.stop();
  REQUIRE(one.wait_ended());
  CHECK(one.result() == true);
  CHECK(store.holder().empty());
}

TEST_CASE("the lease says what other candidates and people need to know", "[kube][leader]") {
  ApiScript script;
  LeaseStore store(script);
  store.hold("");
  Candidate one(script, "one");
  REQUIRE(one.wait_leading());
  const Json lease = store.lease();
  CHECK(int_at(lease, {"spec", "leaseDurationSeconds"}) == 2);
  CHECK(int_at(lease, {"spec", "leaseTransitions"}) == 4);
  CHECK(parse_time(string_at(lease, {"spec", "renewTime"})).has_value());
  CHECK(string_at(lease, {"spec", "acquireTime"}).size() == std::string("2026-11-23T10:25:06.000000Z").size());
}

TEST_CASE("of two candidates one leads, and the other follows when it stops", "[kube][leader][F10][I7]") {
  ApiScript script;
  LeaseStore store(script);
  Candidate one(script, "one");
  REQUIRE(one.wait_leading());
  Candidate two(script, "two");
  one.stop();
  REQUIRE(two.wait_leading());
  CHECK(one.wait_ended());
  CHECK(store.holder() == "two");
}

TEST_CASE("a lease that another one leaves unchanged is taken over, whatever its times say",
          "[kube][leader][F27][F52][I7]") {
  ApiScript script;
  LeaseStore store(script);
  store.hold("dead");
  const auto began = std::chrono::steady_clock::now();
  Candidate one(script, "one");
  REQUIRE(one.wait_leading());
  CHECK(std::chrono::steady_clock::now() - began >= milliseconds(1'500));
}

TEST_CASE("leadership that another one took is lost at once", "[kube][leader][F26][I7]") {
  ApiScript script;
  LeaseStore store(script);
  Candidate one(script, "one", std::chrono::hours(1));
  REQUIRE(one.wait_leading());
  store.hold("usurper");
  REQUIRE(one.wait_ended());
  CHECK(one.result() == false);
  CHECK(store.holder() == "usurper");
}

TEST_CASE("leadership that cannot be renewed is lost before the lease runs out", "[kube][leader][F26][I7]") {
  ApiScript script;
  LeaseStore store(script);
  Candidate one(script, "one");
  REQUIRE(one.wait_leading());
  store.break_down();
  REQUIRE(one.wait_ended());
  CHECK(one.result() == false);
}

TEST_CASE("a term that has run out is over for good, whoever looks first", "[kube][leader][F7][F26][I7]") {
  kube::Term term;
  CHECK_FALSE(term.over());
  term.set_limit(std::chrono::steady_clock::now() + std::chrono::hours(1));
  CHECK_FALSE(term.over());
  term.set_limit(std::chrono::steady_clock::now());
  CHECK(term.over());
  term.set_limit(std::chrono::steady_clock::now() + std::chrono::hours(1));
  CHECK(term.over());
}

TEST_CASE("an annotation on the lease by hand costs nobody the leadership", "[kube][leader]") {
  ApiScript script;
  LeaseStore store(script);
  Candidate one(script, "one");
  REQUIRE(one.wait_leading());
  const auto before = script.calls().size();
  store.annotate();
  while (script.calls().size() < before + 6) std::this_thread::yield();
  one.stop();
  REQUIRE(one.wait_ended());
  CHECK(one.result() == true);
}

TEST_CASE("a candidate that is asked to stop before it was elected never leads", "[kube][leader]") {
  ApiScript script;
  LeaseStore store(script);
  store.break_down();
  Candidate one(script, "one");
  one.stop();
  REQUIRE(one.wait_ended());
  CHECK(one.result() == true);
  CHECK_FALSE(one.led());
}
