#include "kube/config.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/text.h"
#include "kube/kubeconfig.h"

namespace stash::kube {

namespace {

namespace fs = std::filesystem;

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.good() && !file.eof()) return fail(ErrorCode::not_found, fmt::format("{}: cannot be read", path));
  return text;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Result<Config> in_cluster_config(const std::string& directory) {
  std::string host = environment("KUBERNETES_SERVICE_HOST");
  const std::string port = environment("KUBERNETES_SERVICE_PORT");
  if (host.empty() || port.empty()) {
    return fail(ErrorCode::not_found, "not in a pod: KUBERNETES_SERVICE_HOST or KUBERNETES_SERVICE_PORT is not set");
  }
  if (host.find(':') != std::string::npos) host = fmt::format("[{}]", host);
  Config config;
  config.server = fmt::format("https://{}:{}", host, port);
  config.trust.ca_file = directory + "/ca.crt";
  config.token_file = directory + "/token";
  for (const std::string& file : {config.trust.ca_file, config.token_file}) {
    std::error_code problem;
    if (!fs::exists(file, problem)) {
      return fail(ErrorCode::not_found, fmt::format("not in a pod with a service account: {} is missing", file));
    }
  }
  // A projected volume of the sidecar may leave it out; then the default stays.
  if (const auto ns = read_file(directory + "/namespace"); ns && !trimmed(*ns).empty()) config.ns = trimmed(*ns);
  return config;
}

Result<Config> kubeconfig(const std::string& path) {
  TRY(const std::string text, read_file(path));
  const auto beside = [&path](const std::string& file) { return (fs::path(path).parent_path() / file).string(); };
  TRY(Config config,
      with_context(decode_kubeconfig(text, [&beside](const std::string& file) { return read_file(beside(file)); }),
                   path));
  if (!config.token_file.empty()) config.token_file = beside(config.token_file);
  return config;
}

Result<Config> load_config(const std::string& path) {
  if (!path.empty()) return kubeconfig(path);
  const std::string from_environment = environment("KUBECONFIG");
  if (from_environment.find(':') != std::string::npos) {
    return fail(ErrorCode::invalid, "KUBECONFIG names several files; merging them is not supported, name one");
  }
  return from_environment.empty() ? in_cluster_config() : kubeconfig(from_environment);
}

}  // namespace stash::kube
