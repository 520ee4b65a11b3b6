#include "webhook/service.h"

#include "base/log.h"
#include "webhook/admit.h"
#include "webhook/protect.h"
#include "webhook/review.h"
#include "webhook/warn.h"

namespace stash::webhook {
namespace {

// A parsed document takes up to some twenty times its text: large ones are taken one at a time.
constexpr std::size_t kLargeBody = 512u << 10;

Reply text(int status, std::string body) { return {status, "text/plain; charset=utf-8", std::move(body)}; }

}  // namespace

Service::Service(inject::Settings settings, const Index& index, const Certificate& certificate,
                 std::function<bool()> synced, AskRights ask_rights, Metrics& metrics)
    : settings_(std::move(settings)),
      index_(index),
      certificate_(certificate),
      synced_(std::move(synced)),
      ask_rights_(std::move(ask_rights)),
      metrics_(metrics) {}

Routes Service::admission_routes() {
  Routes routes;
  for (const std::string path : {"/mutate", "/warn"}) {
    routes["POST " + path] = [this, path](std::string_view body) { return answer(path, body); };
  }
  return routes;
}

Routes Service::authorization_routes() {
  return {{"POST /authorize", [this](std::string_view body) { return authorize(body); }}};
}

Routes Service::health_routes(std::function<ServerStats()> stats) {
  return {{"GET /healthz", [](std::string_view) { return text(200, "ok\n"); }},
          {"GET /readyz", [this](std::string_view) { return readiness(); }},
          {"GET /metrics", [this, stats = std::move(stats)](std::string_view) {
             const auto pair = certificate_.current();
             const auto ends = pair ? std::optional(pair->facts().not_after) : std::nullopt;
             return Reply{200, "text/plain; version=0.0.4; charset=utf-8", metrics_.render(stats(), ends, synced_())};
           }}};
}

void Service::set_stopping() { stopping_ = true; }

Reply Service::readiness() const {
  if (stopping_) return text(503, "stopping\n");
  if (!certificate_.current()) return text(503, "no serving certificate yet\n");
  if (!synced_()) {
    return text(503, index_.complete() ? "the API server has not been heard of for minutes\n"
                                       : "the caches are not filled yet\n");
  }
  return text(200, "ok\n");
}

Answer Service::decide(const std::string& path, const Review& review) const {
  const bool synced = synced_();
  if (path == "/mutate") {
    return admit(review, settings_, [&](const WorkloadKey& key) { return synced ? index_.gather(key) : std::nullopt; });
  }
  if (review.operation == "DELETE") {
    return protect(review, [&](const std::string& ns, const std::string& repository) {
      return synced ? index_.users_of(ns, repository) : std::vector<std::string>();
    });
  }
  const WarnWorld world{
      .namespace_labels = [&](const std::string& ns) { return index_.namespace_labels(ns); },
      .repository = [&](const std::string& ns, const std::string& name) { return index_.repository(ns, name); },
      .synced = synced};
  return warn(review, settings_, world);
}

Reply Service::malformed(const std::string& path, const Error& error, std::chrono::steady_clock::time_point start) {
  metrics_.count_request(path, "malformed", "malformed", std::chrono::steady_clock::now() - start);
  return text(400, error.message + "\n");
}

Reply Service::answer(const std::string& path, std::string_view body) {
  const auto start = std::chrono::steady_clock::now();
  std::unique_lock large(large_, std::defer_lock);
  if (body.size() > kLargeBody) large.lock();
  auto review = parse_review(body, path == "/mutate" ? Reading::for_injection : Reading::whole);
  if (!review) return malformed(path, review.error(), start);
  Answer answer;
  try {
    answer = decide(path, *review);
    if (answer.needs_whole) {
      review = parse_review(body);
      if (!review) return malformed(path, review.error(), start);
      answer = decide(path, *review);
    }
  } catch (const std::exception& error) {
    // A bug of ours must not become the user's: his workload is admitted, and the controller looks at it later.
    log_error("review of {} {}/{} failed: {}; admitted unchanged", review->kind, review->ns, review->name,
              error.what());
    answer = {
        .warnings = {"stash: an internal error; admitted unchanged"}, .outcome = "unsure", .reason = "internal_error"};
  }
  metrics_.count_request(path, answer.outcome, answer.reason, std::chrono::steady_clock::now() - start);
  if (answer.outcome == "patched" || answer.outcome == "unsure") {
    log_info("{} {}/{}: {} ({}){}", review->kind, review->ns, review->name, answer.outcome, answer.reason,
             review->dry_run ? ", dry run" : "");
  }
  return {200, "application/json", render_answer(*review, answer)};
}

Reply Service::authorize(std::string_view body) {
  const std::string path = "/authorize";
  const auto start = std::chrono::steady_clock::now();
  std::unique_lock large(large_, std::defer_lock);
  if (body.size() > kLargeBody) large.lock();
  auto review = parse_review(body);
  if (!review) return malformed(path, review.error(), start);
  const AuthorCheck check = plan_author_check(*review, settings_);
  // Nothing large is kept, and nobody kept waiting, while the API server is asked.
  review->object = review->old_object = Json();
  if (large.owns_lock()) large.unlock();

  std::vector<Right> rights;
  rights.reserve(check.needs.size());
  for (const Need& need : check.needs) rights.push_back(need.right);
  Result<std::vector<bool>> has = std::vector<bool>();
  if (!rights.empty()) has = ask_rights_(review->user_info, rights);
  const Answer answer = has ? judge_author(*review, check, *has) : author_not_checked(check, has.error());
  metrics_.count_request(path, answer.outcome, answer.reason, std::chrono::steady_clock::now() - start);
  if (!answer.refusal.empty()) log_info("refused {} ({}): {}", review->user, answer.reason, answer.refusal);
  return {200, "application/json", render_answer(*review, answer)};
}

}  // namespace stash::webhook
