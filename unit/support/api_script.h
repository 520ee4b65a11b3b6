#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "kube/config.h"

namespace stash {

/// A scripted API server: a real HTTP server on 127.0.0.1 at a free port that says exactly what the test told it to.
///
///   ApiScript api;
///   api.on("GET", "/api/v1/pods", "watch=true&resourceVersion=100").reply(410);
///   api.on("GET", "/api/v1/pods").reply(200, list_of({"a", "b"}, "140"));
///   kube::Api client(api.config());          // after `api`: the client must go first
///   ...
///   api.wait_until_done();                   // where the calls come from another thread
///
/// Matching: the first step not used up yet whose method and path are equal and whose query pairs are all in the call.
/// So steps of one path come in the order written, while different paths may interleave as threads like.
/// A call that no step wants gets 500 and fails the test with method, target and body; so does, at the end, a step
/// whose call never came. Failures are reported on the thread that destroys the script, for Catch2 knows only one.
class ApiScript {
 public:
  struct Call {
    std::string method;
    std::string path;    ///< decoded, without the query
    std::string target;  ///< as sent: still percent-encoded, with the query
    std::map<std::string, std::string> query;
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;
    Json json() const;  ///< the body; null when it is no JSON
  };

  struct Reply {
    int status = 200;
    std::string body;
    std::map<std::string, std::string> headers;
    std::string content_type = "application/json";
  };

  class Step {
   public:
    Step& reply(int status);        ///< with a metav1.Status as the API server would send
    Step& reply(const Json& body);  ///< 200
    Step& refuse_test();            ///< as the API server answers a JSON patch one of whose `test` operations fails
    Step& reply(int status, const Json& body);
    Step& reply_raw(int status, std::string_view body, std::map<std::string, std::string> headers = {});
    Step& reply(Reply reply);
    /// Computed from the call, on a thread of the server.
    Step& reply_with(std::function<Reply(const Call&)> make);
    /// 200 and these chunks, one after the other, then the clean end of the stream.
    Step& stream(std::vector<std::string> chunks);
    /// Watch events, a line each: {{"ADDED", object}, ...}.
    Step& stream_events(const std::vector<std::pair<std::string, Json>>& events);
    /// After the chunks of a stream the connection breaks, in the middle of the answer.
    Step& then_cut();
    /// After the chunks of a stream nothing more comes, until the client goes away or the script ends.
    Step& then_hang();
    /// Called, on a thread of the server, before the answer is given: a place to wait for something.
    Step& before(std::function<void()> action);
    /// This step serves that many calls.
    Step& times(int count);
    /// This step serves any number of calls, also none; steps of the same path written later are never reached.
    Step& always();

   private:
    friend class ApiScript;
    std::string method_, path_;
    std::map<std::string, std::string> query_;
    Reply reply_;
    std::function<Reply(const Call&)> make_;
    std::function<void()> before_;
    std::vector<std::string> chunks_;
    enum class Kind { answer, stream, cut, hang } kind_ = Kind::answer;
    int left_ = 1;
    bool any_number_ = false;
    bool matches(const Call& call) const;
  };

  ApiScript();
  ~ApiScript();
  ApiScript(const ApiScript&) = delete;
  ApiScript& operator=(const ApiScript&) = delete;

  /// `query` is "key=value&key=value", not encoded. The reference stays good; call its methods before the call comes.
  Step& on(std::string method, std::string path, std::string_view query = "");

  /// How far ahead of ours the clock is that the Date headers are read from. 0 unless said; nullopt: no such header.
  void clock_ahead(std::optional<std::chrono::seconds> by);

  kube::Config config() const;
  int port() const;
  /// True when every step has been used (those of always() do not count) and answered, within `limit`.
  bool wait_until_done(std::chrono::milliseconds limit = std::chrono::seconds(10));
  /// What has been asked so far, in order of arrival.
  std::vector<Call> calls() const;
  /// What is wrong so far: calls outside the script, and steps without their call. Clears it, so that a test of the
  /// script itself can look without failing.
  std::vector<std::string> take_failures();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A minimal object: apiVersion v1, kind ConfigMap, in namespace demo.
Json an_object(std::string_view name, std::string_view version = "1", std::string_view ns = "demo");
/// {"kind": "List", items, metadata: {resourceVersion, continue}}
Json list_of(std::vector<Json> items, std::string_view version, std::string_view next_page = "");
/// A metav1.Status of failure.
Json status_of(int code, std::string_view reason, std::string_view message);

}  // namespace stash
