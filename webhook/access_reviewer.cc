#include "webhook/access_reviewer.h"

namespace stash::webhook {
namespace {

using Clock = std::chrono::steady_clock;

Result<std::vector<bool>> ask_all(kube::Api& api, const Json& user_info, const std::vector<Right>& rights) {
  std::vector<bool> has;
  for (const Right& right : rights) {
    TRY(const Json answer, api.create(api::kSubjectAccessReviews, "", encode_access_review(user_info, right)));
    TRY(const bool allowed, decode_access_review(answer));
    has.push_back(allowed);
  }
  return has;
}

}  // namespace

AccessReviewer::AccessReviewer(kube::Config config, Options options) : config_(std::move(config)), options_(options) {}

Result<std::vector<bool>> AccessReviewer::ask(const Json& user_info, const std::vector<Right>& rights) {
  const auto until = Clock::now() + options_.deadline;
  TRY(Connection api, borrow(until));
  api->set_cancel([until] { return Clock::now() >= until; });
  auto has = ask_all(*api, user_info, rights);
  if (!has && has.error().code == ErrorCode::cancelled) {
    has = fail(ErrorCode::timed_out, "the API server did not answer in time");
  }
  give_back(std::move(api));
  return has;
}

Result<AccessReviewer::Connection> AccessReviewer::borrow(Clock::time_point until) {
  std::unique_lock lock(mutex_);
  if (callers_ >= options_.callers) return fail(ErrorCode::timed_out, "too many are asked for at once");
  ++callers_;
  if (!given_back_.wait_until(lock, until, [this] { return borrowed_ < options_.connections; })) {
    --callers_;
    return fail(ErrorCode::timed_out, "too many were asked for at once");
  }
  ++borrowed_;
  if (idle_.empty()) return std::make_unique<kube::Api>(config_);
  Connection api = std::move(idle_.back());
  idle_.pop_back();
  return api;
}

void AccessReviewer::give_back(Connection connection) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(connection));
  --borrowed_;
  --callers_;
  given_back_.notify_one();
}

}  // namespace stash::webhook
