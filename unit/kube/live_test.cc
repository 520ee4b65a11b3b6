// What the scripted API server is made to answer, asked of a real one: so the script cannot drift from the truth.
#include <httplib.h>

#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/base64.h"
#include "kube/api.h"
#include "kube/cache.h"
#include "kube/events.h"
#include "kube/leader.h"
#include "unit/base/test_certificate.h"

using namespace stash;
using kube::Api;
using kube::WatchEvent;
using kube::WatchType;
using std::chrono::seconds;

namespace {

constexpr api::Resource kConfigMaps{"", "v1", "configmaps", "ConfigMap"};
const std::string kNs = "kube-live-test-" + std::to_string(::getpid());

kube::Config config() {
  auto loaded = kube::load_config("");
  INFO("KUBECONFIG must name a test cluster's kubeconfig");
  REQUIRE(loaded.has_value());
  return *std::move(loaded);
}

/// The namespace of one test; its objects go with it or stay to no harm in a cluster that is thrown away.
class Namespace {
 public:
  Namespace() : api_(config()) {
    const auto made =
        api_.create(api::kNamespaces, "", {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", kNs}}}});
    REQUIRE((made || made.error().code == ErrorCode::already_exists));
  }
  Api& api() { return api_; }

 private:
  Api api_;
};

Json config_map(const std::string& name, const std::string& value = "1") {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", name}, {"namespace", kNs}}},
          {"data", {{"x", value}}}};
}

Json deployment(const std::string& name) {
  Json object = Json::parse(R"({
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"labels": {"live": "yes"}},
    "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "x"}},
             "template": {"metadata": {"labels": {"app": "x"}},
                          "spec": {"containers": [{"name": "c", "image": "i"}]}}}})");
  object["metadata"]["name"] = name;
  object["metadata"]["namespace"] = kNs;
  return object;
}

std::string version_of(const Json& object) { return string_at(object, {"metadata", "resourceVersion"}); }

ErrorCode code_of(const Result<Json>& result) {
  REQUIRE_FALSE(result.has_value());
  INFO(result.error().message);
  return result.error().code;
}

/// A mutating webhook that labels whatever it is asked about, registered for as long as it lives.
class LabellingWebhook {
 public:
  explicit LabellingWebhook(Api& api) : api_(api), server_(certificate_.x509.get(), certificate_.key.get()) {
    server_.set_tcp_nodelay(true);
    server_.set_keep_alive_timeout(1);
    server_.Post("/mutate", [this](const httplib::Request& request, httplib::Response& response) {
      ++asked_;
      const Json review = parse_json(request.body).value_or(Json());
      const std::string patch = R"([{"op": "add", "path": "/metadata/labels/nudged", "value": "yes"}])";
      const Json answer = {{"apiVersion", "admission.k8s.io/v1"},
                           {"kind", "AdmissionReview"},
                           {"response",
                            {{"uid", string_at(review, {"request", "uid"})},
                             {"allowed", true},
                             {"patchType", "JSONPatch"},
                             {"patch", encode_base64(patch)}}}};
      response.set_content(dump_json(answer), "application/json");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~LabellingWebhook() {
    unregister();
    stop();
  }

  void enroll(const char* failure_policy) {
    const Json hook = {{"name", "live.stash.example"},
                       {"admissionReviewVersions", {"v1"}},
                       {"sideEffects", "None"},
                       {"timeoutSeconds", 5},
                       {"failurePolicy", failure_policy},
                       {"namespaceSelector", {{"matchLabels", {{"kubernetes.io/metadata.name", kNs}}}}},
                       {"clientConfig",
                        {{"url", "https://127.0.0.1:" + std::to_string(port_) + "/mutate"},
                         {"caBundle", encode_base64(certificate_.pem())}}},
                       {"rules",
                        {{{"apiGroups", {"apps"}},
                          {"apiVersions", {"v1"}},
                          {"operations", {"UPDATE"}},
                          {"resources", {"deployments"}}}}}};
    const Json configuration = {{"apiVersion", "admissionregistration.k8s.io/v1"},
                                {"kind", "MutatingWebhookConfiguration"},
                                {"metadata", {{"name", kNs}}},
                                {"webhooks", Json::array({hook})}};
    const auto applied = api_.apply(api::kMutatingWebhookConfigurations, {"", kNs}, configuration, "live-test");
    if (!applied) INFO(applied.error().message);
    REQUIRE(applied.has_value());
  }
  void unregister() { std::ignore = api_.remove(api::kMutatingWebhookConfigurations, {"", kNs}, {}); }
  void stop() {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }
  int asked() const { return asked_; }

 private:
  Api& api_;
  TestCertificate certificate_{"IP:127.0.0.1"};
  httplib::SSLServer server_;
  std::atomic<int> asked_{0};
  int port_ = 0;
  std::thread thread_;
};

}  // namespace

TEST_CASE("objects are created, read, changed and deleted, and each refusal has its code", "[kube][live]") {
  Namespace ns;
  Api& api = ns.api();
  const api::ObjectRef ref{kNs, "a"};
  std::ignore = api.remove(kConfigMaps, ref, {});

  CHECK(code_of(api.get(kConfigMaps, ref)) == ErrorCode::not_found);
  const Json made = api.create(kConfigMaps, kNs, config_map("a")).value();
  CHECK(code_of(api.create(kConfigMaps, kNs, config_map("a"))) == ErrorCode::already_exists);
  CHECK(api.get(kConfigMaps, ref).value() == made);
  CHECK(code_of(api.create(kConfigMaps, kNs, config_map("Not A Name"))) == ErrorCode::invalid);
  CHECK(code_of(api.create(kConfigMaps, "no-such-namespace", config_map("a"))) == ErrorCode::invalid);

  const Json changed = api.merge_patch(kConfigMaps, ref, {{"data", {{"x", "2"}}}}).value();
  CHECK(string_at(changed, {"data", "x"}) == "2");
  const Json stale = {{"metadata", {{"resourceVersion", version_of(made)}}}, {"data", {{"x", "3"}}}};
  CHECK(code_of(api.merge_patch(kConfigMaps, ref, stale)) == ErrorCode::conflict);

  CHECK(api.remove(kConfigMaps, ref, {.uid = "another"}).error().code == ErrorCode::conflict);
  CHECK(api.remove(kConfigMaps, ref, {.uid = string_at(made, {"metadata", "uid"})}).has_value());
  CHECK(api.remove(kConfigMaps, ref, {}).error().code == ErrorCode::not_found);
  CHECK(code_of(api.merge_patch(kConfigMaps, ref, stale)) == ErrorCode::not_found);
}

TEST_CASE("a JSON patch whose test fails is a conflict and changes nothing", "[kube][live]") {
  Namespace ns;
  const api::ObjectRef ref{kNs, "tested"};
  std::ignore = ns.api().create(kConfigMaps, kNs, config_map("tested"));
  const auto patch = [&](const char* expected, const char* op, const char* path) {
    return ns.api().json_patch(
        kConfigMaps, ref,
        {{{"op", "test"}, {"path", "/data/x"}, {"value", expected}}, {{"op", op}, {"path", path}, {"value", "2"}}});
  };
  CHECK(code_of(patch("other", "replace", "/data/x")) == ErrorCode::conflict);
  CHECK(code_of(patch("1", "remove", "/data/gone")) == ErrorCode::conflict);
  CHECK(code_of(patch("1", "replace", "/metadata/name")) == ErrorCode::invalid);
  // Not RFC 6902: the API server takes a replace of what is not there for an add. Only `test` guards.
  CHECK(string_at(patch("1", "replace", "/data/gone").value(), {"data", "gone"}) == "2");
  CHECK(string_at(patch("1", "replace", "/data/x").value(), {"data", "x"}) == "2");
  CHECK(code_of(patch("1", "replace", "/data/x")) == ErrorCode::conflict);
  CHECK(ns.api().remove(kConfigMaps, ref, {}).has_value());
}

TEST_CASE("apply creates what is missing and overrides other owners", "[kube][live]") {
  Namespace ns;
  const api::ObjectRef ref{kNs, "applied"};
  std::ignore = ns.api().remove(kConfigMaps, ref, {});
  CHECK(ns.api().apply(kConfigMaps, ref, config_map("applied"), "one").has_value());
  CHECK(string_at(ns.api().apply(kConfigMaps, ref, config_map("applied", "2"), "two").value(), {"data", "x"}) == "2");
}

TEST_CASE("a list of more than a page comes whole, with kinds", "[kube][live]") {
  Namespace ns;
  for (int i = 0; i < 510; ++i) {
    Json object = config_map("many-" + std::to_string(i));
    object["metadata"]["labels"] = {{"many", "yes"}};
    const auto made = ns.api().create(kConfigMaps, kNs, object);
    REQUIRE((made || made.error().code == ErrorCode::already_exists));
  }
  for (const bool from_cache : {false, true}) {
    const Json list = ns.api().list(kConfigMaps, kNs, {.label_selector = "many=yes", .from_cache = from_cache}).value();
    CHECK(array_at(list, {"items"}).size() == 510);
    CHECK(string_at(array_at(list, {"items"}).front(), {"kind"}) == "ConfigMap");
    CHECK_FALSE(version_of(list).empty());
  }
}

TEST_CASE("metadata only never brings a Secret's content", "[kube][live]") {
  Namespace ns;
  const Json secret = {
      {"apiVersion", "v1"}, {"kind", "Secret"}, {"metadata", {{"name", "s"}}}, {"stringData", {{"k", "hunter2"}}}};
  std::ignore = ns.api().create(api::kSecrets, kNs, secret);
  const Json one = ns.api().get(api::kSecrets, {kNs, "s"}, true).value();
  CHECK(string_at(one, {"metadata", "name"}) == "s");
  CHECK_FALSE(one.contains("data"));
  const Json list = ns.api().list(api::kSecrets, kNs, {.metadata_only = true}).value();
  REQUIRE(array_at(list, {"items"}).size() == 1);
  CHECK_FALSE(array_at(list, {"items"}).front().contains("data"));
}

TEST_CASE("who is not known, and who may not, is denied; a stranger's CA is not trusted", "[kube][live]") {
  kube::Config stranger = config();
  stranger.trust.client_cert_pem = stranger.trust.client_key_pem = "";
  stranger.token = "nonsense";
  CHECK(code_of(Api(stranger).list(api::kPods, "default")) == ErrorCode::denied);
  stranger.token = "";
  CHECK(code_of(Api(stranger).list(api::kSecrets, "default")) == ErrorCode::denied);
  kube::Config mistaken = config();
  mistaken.trust.ca_pem = TestCertificate("IP:127.0.0.1").pem();
  CHECK(code_of(Api(mistaken).list(api::kPods, "default")) == ErrorCode::unreachable);
}

TEST_CASE("a cache follows what happens, and a watch from long ago is expired or complete", "[kube][live]") {
  Namespace ns;
  for (const char* name : {"w1", "w2"}) std::ignore = ns.api().remove(kConfigMaps, {kNs, name}, {});
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> seen;
  kube::Cache cache(config(), kConfigMaps, {.ns = kNs, .label_selector = "watched=yes"},
                    [&](const auto& ref, const auto& before, const auto& after) {
                      const std::lock_guard lock(mutex);
                      seen.push_back((!before ? "added " : !after ? "deleted " : "modified ") + ref.name);
                      changed.notify_all();
                    });
  const auto wait_for = [&](std::size_t count) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, seconds(30), [&] { return seen.size() >= count; });
    return seen;
  };
  Json object = config_map("w1");
  object["metadata"]["labels"] = {{"watched", "yes"}};
  REQUIRE(ns.api().create(kConfigMaps, kNs, object).has_value());
  cache.start();
  REQUIRE(cache.wait_synced(seconds(30)));
  wait_for(1);
  object["metadata"]["name"] = "w2";
  REQUIRE(ns.api().create(kConfigMaps, kNs, object).has_value());
  REQUIRE(ns.api().merge_patch(kConfigMaps, {kNs, "w1"}, {{"data", {{"x", "5"}}}}).has_value());
  REQUIRE(ns.api().remove(kConfigMaps, {kNs, "w2"}, {}).has_value());
  CHECK(wait_for(4) == std::vector<std::string>{"added w1", "added w2", "modified w1", "deleted w2"});
  CHECK(at(*cache.get({kNs, "w1"}), {"metadata", "managedFields"}) == nullptr);

  Api watcher(config());
  int events = 0;
  const auto ended =
      watcher.watch(kConfigMaps, kNs, {.resource_version = "1", .timeout = seconds(1)}, [&events](const WatchEvent&) {
        ++events;
        return true;
      });
  const bool expired = !ended && ended.error().code == ErrorCode::expired;
  CHECK((expired || (ended.has_value() && events > 0)));
}

TEST_CASE("a watch that the server ends in time ends cleanly", "[kube][live]") {
  Namespace ns;
  const Json list = ns.api().list(kConfigMaps, kNs).value();
  Api watcher(config());
  const auto ended = watcher.watch(kConfigMaps, kNs, {.resource_version = version_of(list), .timeout = seconds(1)},
                                   [](const WatchEvent&) { return true; });
  CHECK(ended.has_value());
}

TEST_CASE("an event is accepted and found at its object", "[kube][live]") {
  Namespace ns;
  std::ignore = ns.api().create(kConfigMaps, kNs, config_map("evented"));
  const Json object = ns.api().get(kConfigMaps, {kNs, "evented"}).value();
  const auto recorded = kube::record_event(ns.api(), object, kube::EventType::warning, "Failed",
                                           std::string(5'000, 'x'), "stash", system_clock().now());
  if (!recorded) INFO(recorded.error().message);
  CHECK(recorded.has_value());
  const Json events = ns.api().list(api::kEvents, kNs, {.field_selector = "involvedObject.name=evented"}).value();
  CHECK(array_at(events, {"items"}).size() == 1);
}

TEST_CASE("a lease is made, renewed and released", "[kube][live]") {
  Namespace ns;
  std::atomic<bool> stop{false};
  kube::LeaderElection election(
      config(), {.lease = {kNs, "leader"}, .identity = "me", .renew_every = std::chrono::milliseconds(50)});
  const bool kept = election.run([&stop] { return stop.load(); },
                                 [&](const kube::Term& term) {
                                   Api api(config());
                                   std::string first, now;
                                   while (!term.over() && (first.empty() || first == now)) {
                                     now = version_of(api.get(api::kLeases, {kNs, "leader"}).value_or(Json()));
                                     if (first.empty()) first = now;
                                   }
                                   stop = true;
                                 });
  CHECK(kept);
  const Json lease = ns.api().get(api::kLeases, {kNs, "leader"}).value();
  CHECK(string_at(lease, {"spec", "holderIdentity"}).empty());
}

// The nudge (docs/decisions): a patch that changes nothing is still an update for the admission chain, and what a
// webhook answers to it is stored.
TEST_CASE("a merge patch that changes nothing runs mutating admission, whose change is stored", "[kube][live]") {
  Namespace ns;
  const api::ObjectRef ref{kNs, "nudged"};
  std::ignore = ns.api().remove(api::kDeployments, ref, {});
  const Json made = ns.api().create(api::kDeployments, kNs, deployment("nudged")).value();
  const auto nudge = [&](const std::string& version) {
    return ns.api().merge_patch(api::kDeployments, ref, {{"metadata", {{"resourceVersion", version}}}});
  };
  CHECK(version_of(nudge(version_of(made)).value()) == version_of(made));

  LabellingWebhook webhook(ns.api());
  webhook.enroll("Fail");
  // The API server learns of a registration by a watch of its own, so the first nudges may come too early.
  Json nudged = made;
  for (int i = 0; i < 1'000 && at(nudged, {"metadata", "labels", "nudged"}) == nullptr; ++i) {
    nudged = nudge(version_of(nudged)).value();
  }
  CHECK(string_at(nudged, {"metadata", "labels", "nudged"}) == "yes");
  CHECK(webhook.asked() == 1);
  CHECK(version_of(nudged) != version_of(made));
  CHECK(int_at(nudged, {"metadata", "generation"}) == int_at(made, {"metadata", "generation"}));
  CHECK(code_of(nudge(version_of(made))) == ErrorCode::conflict);

  const Json again = nudge(version_of(nudged)).value();
  CHECK(version_of(again) == version_of(nudged));  // idempotent: nothing to store, nobody is woken

  webhook.stop();
  CHECK(code_of(nudge(version_of(nudged))) == ErrorCode::unreachable);  // failurePolicy Fail, and nobody answers
  webhook.unregister();
}
