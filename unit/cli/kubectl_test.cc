#include "cli/kubectl.h"

#include <catch2/catch.hpp>

#include "unit/cli/fake_kubectl.h"

using namespace stash;
using namespace stash::cli;
using stash::test::FakeKubectl;

TEST_CASE("kubectl's errors have codes, and say what the server said", "[cli][kubectl]") {
  CHECK(error_of_kubectl("Error from server (NotFound): deployments.apps \"web\" not found\n", 1) ==
        Error{ErrorCode::not_found, "deployments.apps \"web\" not found"});
  CHECK(error_of_kubectl("Error from server (Forbidden): pods is forbidden\n", 1).code == ErrorCode::denied);
  CHECK(error_of_kubectl(
            "E1126 06:00:00.000001    12 memcache.go:265] noise\nThe connection to the server 127.0.0.1:1 was "
            "refused - did you specify the right host or port?\n",
            1) ==
        Error{ErrorCode::unreachable,
              "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?"});
  CHECK(error_of_kubectl("Warning: old\nerror: unknown flag\n", 1) == Error{ErrorCode::invalid, "unknown flag"});
  CHECK(error_of_kubectl("", 3).message == "kubectl ended with exit code 3 and said nothing");
}

TEST_CASE("an object that is not there is told with its kind, its name and its place", "[cli][kubectl]") {
  const FakeKubectl fake(R"(echo 'Error from server (NotFound): x "web" not found' >&2; exit 1)");
  CHECK(fake.kubectl().get(api::kBackupConfigurations, "web", "demo").error().message ==
        "there is no BackupConfiguration web in namespace demo; see: kubectl get "
        "backupconfigurations.stash.appscode.com -n demo");
  CHECK(fake.kubectl().get(api::kNamespaces, "demo", "").error().message ==
        "there is no Namespace demo; see: kubectl get namespaces");
}

TEST_CASE("a kind that is not there is told from an object that is not there", "[cli][kubectl]") {
  const FakeKubectl fake(R"(echo "error: the server doesn't have a resource type \"things\"" >&2; exit 1)");
  const auto found = fake.kubectl().get(api::kRepositories, "web", "demo");
  CHECK(is_unknown_kind(found.error()));
  CHECK(found.error().message ==
        "the server doesn't have a resource type \"things\"; is Stash installed? See: kubectl "
        "stash doctor");
}

TEST_CASE("a kubectl without a cluster is told what to give", "[cli][kubectl]") {
  CHECK(error_of_kubectl("error: current-context must exist in order to minify\n", 1).message ==
        "kubectl knows no cluster: set KUBECONFIG, or give --kubeconfig or --context");
  CHECK(error_of_kubectl("The connection to the server localhost:8080 was refused - did you specify the right host or "
                         "port?\n",
                         1)
            .message.starts_with("kubectl knows no cluster, and none answers at localhost:8080: "));
}

TEST_CASE("kubeconfig and context are passed on", "[cli][kubectl]") {
  const FakeKubectl fake(R"(echo '{"items": [{"kind": "A"}]}')");
  Kubectl kubectl = fake.kubectl();
  CHECK(kubectl.list("things", "demo", "a=b").value() == Json::array({{{"kind", "A"}}}));
  CHECK(fake.arguments() == "--kubeconfig=/k --context=c get things -o json -n demo -l a=b");
  CHECK(kubectl.list("things", "").has_value());
  CHECK(fake.arguments() == "--kubeconfig=/k --context=c get things -o json -A");
  (void)fake.kubectl().get(api::kRepositories, "--server=elsewhere", "demo");
  CHECK(fake.arguments().ends_with("get repositories.stash.appscode.com -o json -n demo -- --server=elsewhere"));
  CHECK(fake.kubectl().get(api::kRepositories, "--server=https://elsewhere", "demo").error().code ==
        ErrorCode::not_found);
  CHECK(fake.arguments().ends_with("-- --server=elsewhere"));
}

TEST_CASE("an object is created from standard input", "[cli][kubectl]") {
  const FakeKubectl fake("cat");
  const Json object = {{"kind", "A"}, {"text", std::string(200'000, 'x')}};
  CHECK(fake.kubectl().create(object).value() == object);
}

TEST_CASE("a kind that the cluster does not serve has no objects", "[cli][kubectl]") {
  const FakeKubectl fake(R"(echo "error: the server doesn't have a resource type \"things\"" >&2; exit 1)");
  CHECK(fake.kubectl().list("things", "").value() == Json::array());
}

TEST_CASE("the namespace is the flag's, else the context's, else default", "[cli][kubectl]") {
  CHECK(FakeKubectl("exit 1").kubectl("asked").ns().value() == "asked");
  CHECK(FakeKubectl("echo of-context").kubectl().ns().value() == "of-context");
  CHECK(FakeKubectl("true").kubectl().ns().value() == "default");
}

TEST_CASE("a kubectl that is not there is named", "[cli][kubectl]") {
  Kubectl kubectl({.program = "no-such-kubectl", .env = {{"PATH", "/usr/bin"}}});
  CHECK(kubectl.run({"version"}).error().message ==
        "no-such-kubectl is not in PATH: kubectl stash talks to the cluster through it");
}
