#include "unit/support/api_script.h"

#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <ctime>
#include <deque>
#include <mutex>
#include <thread>

namespace stash {

namespace {

// Each hanging watch and each idle connection keeps one.
constexpr std::size_t kThreads = 32;

std::map<std::string, std::string> split_query(std::string_view text) {
  std::map<std::string, std::string> query;
  while (!text.empty()) {
    const auto end = text.find('&');
    const std::string_view pair = text.substr(0, end);
    const auto equals = pair.find('=');
    query.emplace(pair.substr(0, equals), equals == pair.npos ? "" : pair.substr(equals + 1));
    text = end == text.npos ? "" : text.substr(end + 1);
  }
  return query;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

ApiScript::Call call_of(const httplib::Request& request) {
  ApiScript::Call call{.method = request.method, .path = request.path, .target = request.target, .body = request.body};
  for (const auto& [key, value] : request.params) call.query.emplace(key, value);
  for (const auto& [name, value] : request.headers) call.headers.emplace(lower(name), value);
  return call;
}

std::string_view reason_of(int status) {
  switch (status) {
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "NotFound";
    case 409:
      return "Conflict";
    case 410:
      return "Expired";
    case 422:
      return "Invalid";
    case 429:
      return "TooManyRequests";
    default:
      return "InternalError";
  }
}

}  // namespace

Json ApiScript::Call::json() const { return parse_json(body).value_or(Json()); }

Json an_object(std::string_view name, std::string_view version, std::string_view ns) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", name}, {"namespace", ns}, {"resourceVersion", version}}}};
}

Json list_of(std::vector<Json> items, std::string_view version, std::string_view next_page) {
  Json metadata = {{"resourceVersion", version}};
  if (!next_page.empty()) metadata["continue"] = next_page;
  return {{"apiVersion", "v1"}, {"kind", "List"}, {"items", std::move(items)}, {"metadata", std::move(metadata)}};
}

Json status_of(int code, std::string_view reason, std::string_view message) {
  return {{"apiVersion", "v1"}, {"kind", "Status"},   {"status", "Failure"},
          {"reason", reason},   {"message", message}, {"code", code}};
}

ApiScript::Step& ApiScript::Step::refuse_test() {
  return reply(422, status_of(422, "Invalid", "the server rejected our request due to an error in our request"));
}

ApiScript::Step& ApiScript::Step::reply(int status) {
  return reply(status, status_of(status, reason_of(status), fmt::format("scripted {}", status)));
}

ApiScript::Step& ApiScript::Step::reply(const Json& body) { return reply(200, body); }

ApiScript::Step& ApiScript::Step::reply(int status, const Json& body) {
  return reply(Reply{.status = status, .body = dump_json(body)});
}

ApiScript::Step& ApiScript::Step::reply_raw(int status, std::string_view body,
                                            std::map<std::string, std::string> headers) {
  return reply(Reply{.status = status, .body = std::string(body), .headers = std::move(headers)});
}

ApiScript::Step& ApiScript::Step::reply(Reply reply) {
  reply_ = std::move(reply);
  return *this;
}

ApiScript::Step& ApiScript::Step::reply_with(std::function<Reply(const Call&)> make) {
  make_ = std::move(make);
  return *this;
}

ApiScript::Step& ApiScript::Step::stream(std::vector<std::string> chunks) {
  chunks_ = std::move(chunks);
  kind_ = Kind::stream;
  return *this;
}

ApiScript::Step& ApiScript::Step::stream_events(const std::vector<std::pair<std::string, Json>>& events) {
  std::vector<std::string> lines;
  for (const auto& [type, object] : events) lines.push_back(dump_json({{"type", type}, {"object", object}}) + "\n");
  return stream(std::move(lines));
}

ApiScript::Step& ApiScript::Step::then_cut() {
  kind_ = Kind::cut;
  return *this;
}

ApiScript::Step& ApiScript::Step::then_hang() {
  kind_ = Kind::hang;
  return *this;
}

ApiScript::Step& ApiScript::Step::before(std::function<void()> action) {
  before_ = std::move(action);
  return *this;
}

ApiScript::Step& ApiScript::Step::times(int count) {
  left_ = count;
  return *this;
}

ApiScript::Step& ApiScript::Step::always() {
  any_number_ = true;
  return *this;
}

bool ApiScript::Step::matches(const Call& call) const {
  if ((left_ == 0 && !any_number_) || method_ != call.method || path_ != call.path) return false;
  return std::all_of(query_.begin(), query_.end(), [&call](const auto& pair) {
    const auto found = call.query.find(pair.first);
    return found != call.query.end() && found->second == pair.second;
  });
}

struct ApiScript::Impl {
  httplib::Server server;
  int port = 0;
  std::thread thread;

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<Step> steps;  // references stay good
  std::vector<Call> calls;
  std::vector<std::string> failures;
  std::optional<std::chrono::seconds> clock_ahead{0};
  int answering = 0;
  bool ending = false;

  void serve(const httplib::Request& request, httplib::Response& response) {
    const Call call = call_of(request);
    Step step;
    {
      const std::lock_guard lock(mutex);
      calls.push_back(call);
      const auto found = std::find_if(steps.begin(), steps.end(), [&call](const Step& s) { return s.matches(call); });
      if (found == steps.end()) {
        const std::string what = fmt::format("call outside the script: {} {} {}", call.method, call.target, call.body);
        failures.push_back(what);
        changed.notify_all();
        response.status = 500;
        response.set_content(dump_json(status_of(500, "InternalError", what)), "application/json");
        return;
      }
      if (found->left_ > 0) --found->left_;
      ++answering;
      step = *found;
    }
    if (step.before_) step.before_();
    answer(step, call, response);
    const std::lock_guard lock(mutex);
    --answering;
    changed.notify_all();
  }

  /// As the API server's: RFC 9110.
  void set_date(httplib::Response& response) {
    std::optional<std::chrono::seconds> ahead;
    {
      const std::lock_guard lock(mutex);
      ahead = clock_ahead;
    }
    if (!ahead || response.has_header("Date")) return;
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() + *ahead);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    response.set_header("Date", text.data());
  }

  void answer(const Step& step, const Call& call, httplib::Response& response) {
    const Reply reply = step.make_ ? step.make_(call) : step.reply_;
    response.status = reply.status;
    for (const auto& [name, value] : reply.headers) response.set_header(name, value);
    set_date(response);
    if (step.kind_ == Step::Kind::answer) {
      response.set_content(reply.body, reply.content_type);
      return;
    }
    response.set_chunked_content_provider(
        reply.content_type, [this, chunks = step.chunks_, kind = step.kind_, next = std::size_t{0}](
                                std::size_t, httplib::DataSink& sink) mutable {
          if (next < chunks.size()) {
            const std::string& chunk = chunks[next++];
            return sink.write(chunk.data(), chunk.size());
          }
          if (kind == Step::Kind::cut) return false;
          if (kind == Step::Kind::stream) {
            sink.done();
            return true;
          }
          std::unique_lock lock(mutex);
          changed.wait_for(lock, std::chrono::milliseconds(50), [this] { return ending; });
          return !ending && sink.is_writable();
        });
  }

  std::vector<std::string> take_failures() {
    const std::lock_guard lock(mutex);
    std::vector<std::string> taken = std::move(failures);
    failures.clear();
    for (Step& step : steps) {
      if (step.left_ == 0 || step.any_number_) continue;
      taken.push_back(fmt::format("scripted call never came: {} {}{}", step.method_, step.path_,
                                  step.query_.empty() ? "" : " with a certain query"));
      step.left_ = 0;
    }
    return taken;
  }
};

ApiScript::ApiScript() : impl_(std::make_unique<Impl>()) {
  httplib::Server& server = impl_->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server.set_tcp_nodelay(true);
  server.set_keep_alive_max_count(100'000);
  server.set_keep_alive_timeout(1);
  const auto serve = [impl = impl_.get()](const httplib::Request& request, httplib::Response& response) {
    impl->serve(request, response);
  };
  server.Get(".*", serve).Post(".*", serve).Put(".*", serve).Patch(".*", serve).Delete(".*", serve);
  impl_->port = server.bind_to_any_port("127.0.0.1");
  impl_->thread = std::thread([impl = impl_.get()] { impl->server.listen_after_bind(); });
  while (!server.is_running()) std::this_thread::yield();
}

ApiScript::~ApiScript() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->ending = true;
    impl_->changed.notify_all();
  }
  impl_->server.stop();
  impl_->thread.join();
  for (const std::string& failure : impl_->take_failures()) {
    UNSCOPED_INFO(failure);
    CHECK(failure.empty());
  }
}

ApiScript::Step& ApiScript::on(std::string method, std::string path, std::string_view query) {
  const std::lock_guard lock(impl_->mutex);
  Step& step = impl_->steps.emplace_back();
  step.method_ = std::move(method);
  step.path_ = std::move(path);
  step.query_ = split_query(query);
  return step;
}

void ApiScript::clock_ahead(std::optional<std::chrono::seconds> by) {
  const std::lock_guard lock(impl_->mutex);
  impl_->clock_ahead = by;
}

kube::Config ApiScript::config() const {
  kube::Config config;
  config.server = fmt::format("http://127.0.0.1:{}", impl_->port);
  return config;
}

int ApiScript::port() const { return impl_->port; }

bool ApiScript::wait_until_done(std::chrono::milliseconds limit) {
  std::unique_lock lock(impl_->mutex);
  return impl_->changed.wait_for(lock, limit, [this] {
    return impl_->answering == 0 && std::all_of(impl_->steps.begin(), impl_->steps.end(),
                                                [](const Step& step) { return step.left_ == 0 || step.any_number_; });
  });
}

std::vector<ApiScript::Call> ApiScript::calls() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->calls;
}

std::vector<std::string> ApiScript::take_failures() { return impl_->take_failures(); }

}  // namespace stash
