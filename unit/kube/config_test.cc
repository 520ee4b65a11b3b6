#include "kube/config.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "kube/kubeconfig.h"

using namespace stash;
using kube::Config;
using kube::decode_kubeconfig;

namespace {

std::string kubeconfig_with(const std::string& cluster, const std::string& user, const std::string& context = "") {
  return "apiVersion: v1\nkind: Config\ncurrent-context: here\n"
         "contexts:\n- name: other\n  context: {cluster: none, user: none}\n"
         "- name: here\n  context: {cluster: c, user: u" +
         context +
         "}\n"
         "clusters:\n- name: c\n  cluster: {" +
         cluster + "}\nusers:\n- name: u\n  user: {" + user + "}\n";
}

Result<Config> decode(const std::string& text) {
  return decode_kubeconfig(text, [](const std::string& file) -> Result<std::string> { return "content of " + file; });
}

class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Environment() { ::unsetenv(name_); }

 private:
  const char* name_;
};

class Directory {
 public:
  Directory() { std::filesystem::create_directories(path_); }
  ~Directory() { std::filesystem::remove_all(path_); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path_ / name) << text; }
  std::string path(const std::string& name = "") const {
    return name.empty() ? path_.string() : (path_ / name).string();
  }

 private:
  std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("stash-config-test-" + std::to_string(::getpid()));
};

}  // namespace

TEST_CASE("the current context's cluster and user are taken, as data", "[kube][config]") {
  const Config config =
      decode(kubeconfig_with("server: 'https://h:6443/', certificate-authority-data: Zm9v, tls-server-name: kubernetes",
                             "client-certificate-data: YmFy, client-key-data: Zm9v", ", namespace: demo"))
          .value();
  CHECK(config.server == "https://h:6443");
  CHECK(config.trust.ca_pem == "foo");
  CHECK(config.trust.client_cert_pem == "bar");
  CHECK(config.trust.client_key_pem == "foo");
  CHECK(config.trust.server_name == "kubernetes");
  CHECK(config.trust.verify);
  CHECK(config.ns == "demo");
}

TEST_CASE("files that a kubeconfig names are read, and data wins over them", "[kube][config]") {
  const Config config = decode(kubeconfig_with("server: https://h, certificate-authority: ca.crt",
                                               "client-certificate: c.crt, client-key: c.key, client-key-data: Zm9v"))
                            .value();
  CHECK(config.trust.ca_pem == "content of ca.crt");
  CHECK(config.trust.client_cert_pem == "content of c.crt");
  CHECK(config.trust.client_key_pem == "foo");
  CHECK(config.ns == "default");
}

TEST_CASE("a token is taken as it is or from its file, the former wins", "[kube][config]") {
  CHECK(decode(kubeconfig_with("server: https://h", "token: abc"))->token == "abc");
  CHECK(decode(kubeconfig_with("server: https://h", "tokenFile: /t"))->token_file == "/t");
  CHECK(decode(kubeconfig_with("server: https://h", "tokenFile: /t, token: abc"))->token_file.empty());
}

TEST_CASE("the server goes unverified only when the kubeconfig says so", "[kube][config]") {
  CHECK_FALSE(decode(kubeconfig_with("server: https://h, insecure-skip-tls-verify: true", ""))->trust.verify);
  CHECK(decode(kubeconfig_with("server: https://h, insecure-skip-tls-verify: false", ""))->trust.verify);
}

TEST_CASE("what is wrong with a kubeconfig is said with its place", "[kube][config]") {
  const std::pair<std::string, const char*> table[] = {
      {"", "not a kubeconfig: expected a map"},
      {"[1]", "not a kubeconfig: expected a map"},
      {"a: [", "not YAML, at line 1: end of sequence flow not found"},
      {"clusters: []", "/current-context: required"},
      {"current-context: x", "/contexts: no entry is called \"x\""},
      {"current-context: x\ncontexts: [{name: x}]", "/contexts[name=x]/context: expected a map"},
      {kubeconfig_with("", ""), "/clusters[name=c]/cluster: server: required"},
      {kubeconfig_with("server: https://h, certificate-authority-data: '%'", ""),
       "/clusters[name=c]/cluster: certificate-authority-data: not base64"},
      {kubeconfig_with("server: https://h, proxy-url: http://p", ""),
       "/clusters[name=c]/cluster: proxy-url: not supported; set HTTPS_PROXY instead"},
      {kubeconfig_with("server: https://h", "exec: {command: aws}"),
       "/users[name=u]/user: exec: this way to log in (\"aws\") is not supported; use a token or a client certificate"},
      {kubeconfig_with("server: https://h", "username: x"),
       "/users[name=u]/user: username: this way to log in is not supported; use a token or a client certificate"},
  };
  for (const auto& [text, message] : table) {
    INFO(text);
    const auto refused = decode(text);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error() == Error{ErrorCode::invalid, message});
  }
}

TEST_CASE("names of files are relative to the kubeconfig", "[kube][config]") {
  const Directory directory;
  directory.write("ca.crt", "the CA");
  directory.write("config", kubeconfig_with("server: https://h, certificate-authority: ca.crt", "tokenFile: token"));
  const Config config = kube::load_config(directory.path("config")).value();
  CHECK(config.trust.ca_pem == "the CA");
  CHECK(config.token_file == directory.path("token"));
  CHECK(kube::load_config(directory.path("nothing")).error().code == ErrorCode::not_found);
}

TEST_CASE("without a path KUBECONFIG counts, and several files are refused", "[kube][config]") {
  const Directory directory;
  directory.write("config", kubeconfig_with("server: https://h", ""));
  {
    const Environment environment("KUBECONFIG", directory.path("config").c_str());
    CHECK(kube::load_config("")->server == "https://h");
  }
  const Environment environment("KUBECONFIG", "/a:/b");
  CHECK(kube::load_config("").error().code == ErrorCode::invalid);
}

TEST_CASE("in a pod the service account directory and two variables say it all", "[kube][config]") {
  const Directory directory;
  directory.write("ca.crt", "the CA");
  directory.write("token", "abc");
  const Environment host("KUBERNETES_SERVICE_HOST", "10.96.0.1"), port("KUBERNETES_SERVICE_PORT", "443");
  const Config config = kube::in_cluster_config(directory.path()).value();
  CHECK(config.server == "https://10.96.0.1:443");
  CHECK(config.trust.ca_file == directory.path("ca.crt"));
  CHECK(config.token_file == directory.path("token"));
  CHECK(config.ns == "default");
  directory.write("namespace", "demo\n");
  CHECK(kube::in_cluster_config(directory.path())->ns == "demo");
  const Environment six("KUBERNETES_SERVICE_HOST", "fd00::1");
  CHECK(kube::in_cluster_config(directory.path())->server == "https://[fd00::1]:443");
}

TEST_CASE("outside of a pod there is no configuration", "[kube][config]") {
  CHECK(kube::in_cluster_config().error().code == ErrorCode::not_found);
  const Environment host("KUBERNETES_SERVICE_HOST", "10.96.0.1"), port("KUBERNETES_SERVICE_PORT", "443");
  CHECK(kube::in_cluster_config("/nowhere").error() ==
        Error{ErrorCode::not_found, "not in a pod with a service account: /nowhere/ca.crt is missing"});
}
