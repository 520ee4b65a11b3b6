#include "kube/kubeconfig.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "base/base64.h"

namespace stash::kube {

namespace {

using ReadFile = std::function<Result<std::string>(const std::string&)>;

std::string text_at(const YAML::Node& node, const char* key) {
  const YAML::Node value = node[key];
  return value && value.IsScalar() ? value.Scalar() : "";
}

/// The entry called `name` of a list such as `clusters`; its `key` part ("cluster").
Result<YAML::Node> named(const YAML::Node& root, const char* list, const std::string& name, const char* key) {
  const YAML::Node entries = root[list];
  if (entries && entries.IsSequence()) {
    for (const YAML::Node& entry : entries) {
      if (!entry.IsMap() || text_at(entry, "name") != name) continue;
      YAML::Node found = entry[key];
      if (found && found.IsMap()) return found;
      return fail(ErrorCode::invalid, fmt::format("/{}[name={}]/{}: expected a map", list, name, key));
    }
  }
  return fail(ErrorCode::invalid, fmt::format("/{}: no entry is called \"{}\"", list, name));
}

/// `<key>-data` in base64, else the content of the file that `<key>` names, else "".
Result<std::string> data_or_file(const YAML::Node& node, const std::string& key, const ReadFile& read_file) {
  const std::string data_key = key + "-data";
  if (const std::string data = text_at(node, data_key.c_str()); !data.empty()) {
    return with_context(decode_base64(data), data_key);
  }
  const std::string file = text_at(node, key.c_str());
  if (file.empty()) return std::string();
  return with_context(read_file(file), key);
}

Result<void> decode_cluster(const YAML::Node& cluster, const ReadFile& read_file, Config& config) {
  config.server = text_at(cluster, "server");
  while (config.server.ends_with('/')) config.server.pop_back();
  if (config.server.empty()) return fail(ErrorCode::invalid, "server: required");
  if (!text_at(cluster, "proxy-url").empty()) {
    return fail(ErrorCode::invalid, "proxy-url: not supported; set HTTPS_PROXY instead");
  }
  TRY(config.trust.ca_pem, data_or_file(cluster, "certificate-authority", read_file));
  config.trust.verify = text_at(cluster, "insecure-skip-tls-verify") != "true";
  config.trust.server_name = text_at(cluster, "tls-server-name");
  return {};
}

Result<void> decode_user(const YAML::Node& user, const ReadFile& read_file, Config& config) {
  for (const char* refused : {"exec", "auth-provider", "username"}) {
    if (!user[refused]) continue;
    const std::string command = user[refused].IsMap() ? text_at(user[refused], "command") : "";
    return fail(ErrorCode::invalid, fmt::format("{}: this way to log in{} is not supported; use a token or a client "
                                                "certificate",
                                                refused, command.empty() ? "" : fmt::format(" (\"{}\")", command)));
  }
  TRY(config.trust.client_cert_pem, data_or_file(user, "client-certificate", read_file));
  TRY(config.trust.client_key_pem, data_or_file(user, "client-key", read_file));
  config.token = text_at(user, "token");
  if (const std::string file = text_at(user, "tokenFile"); config.token.empty() && !file.empty()) {
    config.token_file = file;
  }
  return {};
}

Result<Config> decode_root(const YAML::Node& root, const ReadFile& read_file) {
  if (!root.IsMap()) return fail(ErrorCode::invalid, "not a kubeconfig: expected a map");
  const std::string current = text_at(root, "current-context");
  if (current.empty()) return fail(ErrorCode::invalid, "/current-context: required");
  TRY(const YAML::Node context, named(root, "contexts", current, "context"));
  const std::string cluster_name = text_at(context, "cluster"), user_name = text_at(context, "user");
  Config config;
  TRY(const YAML::Node cluster, named(root, "clusters", cluster_name, "cluster"));
  TRY_VOID(with_context(decode_cluster(cluster, read_file, config),
                        fmt::format("/clusters[name={}]/cluster", cluster_name)));
  if (!user_name.empty()) {
    TRY(const YAML::Node user, named(root, "users", user_name, "user"));
    TRY_VOID(with_context(decode_user(user, read_file, config), fmt::format("/users[name={}]/user", user_name)));
  }
  if (const std::string ns = text_at(context, "namespace"); !ns.empty()) config.ns = ns;
  return config;
}

}  // namespace

Result<Config> decode_kubeconfig(const std::string& text, const ReadFile& read_file) {
  try {
    return decode_root(YAML::Load(text), read_file);
  } catch (const YAML::Exception& problem) {
    return fail(ErrorCode::invalid, fmt::format("not YAML, at line {}: {}", problem.mark.line + 1, problem.msg));
  }
}

}  // namespace stash::kube
