#include "sidecar/backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <initializer_list>

#include "api/backend_check.h"
#include "base/json.h"

namespace stash::sidecar {
namespace {

using Names = std::initializer_list<std::string_view>;

constexpr std::string_view kPassword = "RESTIC_PASSWORD";
constexpr std::string_view kCaCertificate = "CA_CERT_DATA";
constexpr std::string_view kGoogleKey = "GOOGLE_SERVICE_ACCOUNT_JSON_KEY";
constexpr std::string_view kRestUser = "REST_SERVER_USERNAME", kRestPassword = "REST_SERVER_PASSWORD";

// The keys that reach restic under their own name. Those of Stash v0.9 first, then what restic has learnt since.
constexpr std::string_view kS3Keys[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"};
constexpr std::string_view kGcsKeys[] = {"GOOGLE_PROJECT_ID", "GOOGLE_ACCESS_TOKEN"};
constexpr std::string_view kAzureKeys[] = {"AZURE_ACCOUNT_NAME", "AZURE_ACCOUNT_KEY", "AZURE_ACCOUNT_SAS",
                                           "AZURE_ENDPOINT_SUFFIX"};
constexpr std::string_view kSwiftKeys[] = {"ST_AUTH",
                                           "ST_USER",
                                           "ST_KEY",
                                           "OS_AUTH_URL",
                                           "OS_REGION_NAME",
                                           "OS_USERNAME",
                                           "OS_PASSWORD",
                                           "OS_TENANT_ID",
                                           "OS_TENANT_NAME",
                                           "OS_USER_DOMAIN_NAME",
                                           "OS_PROJECT_NAME",
                                           "OS_PROJECT_DOMAIN_NAME",
                                           "OS_APPLICATION_CREDENTIAL_ID",
                                           "OS_APPLICATION_CREDENTIAL_NAME",
                                           "OS_APPLICATION_CREDENTIAL_SECRET",
                                           "OS_STORAGE_URL",
                                           "OS_AUTH_TOKEN",
                                           "OS_USER_ID",
                                           "OS_USER_DOMAIN_ID",
                                           "OS_PROJECT_DOMAIN_ID",
                                           "OS_TRUST_ID"};
constexpr std::string_view kB2Keys[] = {"B2_ACCOUNT_ID", "B2_ACCOUNT_KEY"};

constexpr std::string_view kNoSecrets[] = {kCaCertificate,
                                           "GOOGLE_PROJECT_ID",
                                           "AZURE_ACCOUNT_NAME",
                                           "AZURE_ENDPOINT_SUFFIX",
                                           "ST_AUTH",
                                           "ST_USER",
                                           "OS_AUTH_URL",
                                           "OS_REGION_NAME",
                                           "OS_USERNAME",
                                           "OS_USER_ID",
                                           "OS_TENANT_ID",
                                           "OS_TENANT_NAME",
                                           "OS_USER_DOMAIN_ID",
                                           "OS_USER_DOMAIN_NAME",
                                           "OS_PROJECT_NAME",
                                           "OS_PROJECT_DOMAIN_ID",
                                           "OS_PROJECT_DOMAIN_NAME",
                                           "OS_APPLICATION_CREDENTIAL_NAME",
                                           "OS_STORAGE_URL",
                                           "REST_SERVER_USERNAME"};

constexpr std::string_view kS3Inherited[] = {"AWS_ROLE_ARN",
                                             "AWS_ROLE_SESSION_NAME",
                                             "AWS_WEB_IDENTITY_TOKEN_FILE",
                                             "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                             "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                             "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                                             "AWS_REGION",
                                             "AWS_DEFAULT_REGION"};
constexpr std::string_view kAzureInherited[] = {"AZURE_ENDPOINT_SUFFIX", "AZURE_AUTHORITY_HOST", "AZURE_CLIENT_ID",
                                                "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"};

std::string_view trimmed(std::string_view text) {
  const auto end = text.find_last_not_of(" \t\r\n");
  return end == std::string_view::npos ? "" : text.substr(0, end + 1);
}

/// What the functions below need, and the answer as it grows.
struct Draft {
  const api::Backend& backend;
  const StorageSecret& secret;
  const ResticVersion& version;
  BackendAccess access;

  bool has(std::string_view key) const {
    const auto found = secret.find(std::string(key));
    return found != secret.end() && !found->second.empty();
  }
  const std::string& value(std::string_view key) const { return secret.find(std::string(key))->second; }

  std::string keys() const {
    if (secret.empty()) return "it is missing or has no keys";
    std::string names;
    for (const auto& [key, value] : secret) names += (names.empty() ? "" : ", ") + key;
    return "it has " + names;
  }
  std::unexpected<Error> missing(std::string_view key, std::string_view needed_for = "") const {
    return fail(
        ErrorCode::invalid,
        fmt::format("the Secret \"{}\" has no key {}{} ({}): create it; this container sees the change within about a "
                    "minute",
                    backend.storage_secret_name, key, needed_for, keys()));
  }
  Result<void> require(Names names, std::string_view needed_for) const {
    for (const std::string_view name : names) {
      if (!has(name)) return missing(name, needed_for);
    }
    return {};
  }

  Result<void> pass(std::string_view key, std::string_view variable) {
    if (value(key).contains('\0')) {
      return fail(ErrorCode::invalid, fmt::format("the key {} of the Secret \"{}\" holds a NUL byte, which no variable "
                                                  "can: correct it",
                                                  key, backend.storage_secret_name));
    }
    if (value(key).ends_with('\n')) {
      access.remarks.push_back(fmt::format("{} of the Secret \"{}\" ends in a line break, which is part of it", key,
                                           backend.storage_secret_name));
    }
    access.env.emplace_back(variable, value(key));
    return {};
  }
  Result<void> pass(std::span<const std::string_view> keys) {
    for (const std::string_view key : keys) {
      if (has(key)) TRY_VOID(pass(key, key));
    }
    return {};
  }

  void connections(std::string_view prefix, int count) {
    if (count <= 0) return;
    access.flags.insert(access.flags.end(), {"--option", fmt::format("{}.connections={}", prefix, count)});
  }
  void at(std::string repository) {
    access.repository = std::move(repository);
    access.location = access.repository;
  }
  /// The prefix is appended as written: cleaned, it would name another place for swift (contract 3.2).
  void at_bucket(std::string_view scheme, const api::BucketBackend& bucket) {
    at(fmt::format("{}:{}:/{}", scheme, bucket.bucket, bucket.prefix));
  }
  void credentials_are(std::string_view names) {
    access.credentials = fmt::format("{} of the storage Secret \"{}\"", names, backend.storage_secret_name);
  }
  void credentials_come_from(std::string_view source, std::string_view without) {
    access.credentials =
        fmt::format("{}, or put {} into the storage Secret \"{}\"", source, without, backend.storage_secret_name);
  }
};

Result<void> add_s3(Draft& draft, const api::S3Backend& s3) {
  constexpr std::string_view kId = "AWS_ACCESS_KEY_ID", kKey = "AWS_SECRET_ACCESS_KEY";
  if (draft.has(kId) || draft.has(kKey)) {
    TRY_VOID(draft.require({kId, kKey}, ", and one of the two alone is of no use"));
    draft.credentials_are("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  } else {
    draft.credentials_come_from("the role of the pod's ServiceAccount or node",
                                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  }
  std::string_view endpoint = s3.endpoint;
  while (endpoint.ends_with('/')) endpoint.remove_suffix(1);
  std::string_view prefix = s3.prefix;
  if (const std::string again = s3.bucket + "/"; prefix.starts_with(again)) prefix.remove_prefix(again.size());
  std::string path = std::filesystem::path(fmt::format("{}/{}", s3.bucket, prefix)).lexically_normal().string();
  while (path.ends_with('/')) path.pop_back();
  while (path.starts_with('/')) path.erase(0, 1);
  draft.at(fmt::format("s3:{}/{}", endpoint, path));
  TRY_VOID(draft.pass(kS3Keys));
  if (!s3.region.empty()) draft.access.env.emplace_back("AWS_DEFAULT_REGION", s3.region);
  return {};
}

Result<void> add_gcs(Draft& draft, const api::BucketBackend& gcs, const std::string& secret_directory) {
  draft.at_bucket("gs", gcs);
  draft.connections("gs", gcs.max_connections);
  TRY_VOID(draft.pass(kGcsKeys));
  if (draft.has(kGoogleKey)) {
    draft.access.env.emplace_back("GOOGLE_APPLICATION_CREDENTIALS", fmt::format("{}/{}", secret_directory, kGoogleKey));
    draft.credentials_are(kGoogleKey);
  } else if (draft.has("GOOGLE_ACCESS_TOKEN")) {
    draft.credentials_are("GOOGLE_ACCESS_TOKEN");
  } else {
    draft.credentials_come_from("the workload identity of the pod's ServiceAccount or node", kGoogleKey);
  }
  return {};
}

Result<void> add_azure(Draft& draft, const api::BucketBackend& azure) {
  TRY_VOID(draft.require({"AZURE_ACCOUNT_NAME"}, ", which the azure backend needs"));
  if (draft.has("AZURE_ACCOUNT_KEY") || draft.has("AZURE_ACCOUNT_SAS")) {
    draft.credentials_are("AZURE_ACCOUNT_NAME and AZURE_ACCOUNT_KEY");
  } else if (draft.version.has_azure_identities()) {
    draft.credentials_come_from("the workload identity of the pod's ServiceAccount", "AZURE_ACCOUNT_KEY");
  } else {
    return draft.missing("AZURE_ACCOUNT_KEY", ", which the azure backend needs");
  }
  draft.at_bucket("azure", azure);
  draft.connections("azure", azure.max_connections);
  return draft.pass(kAzureKeys);
}

Result<void> add_swift(Draft& draft, const api::BucketBackend& swift) {
  if (draft.has("ST_AUTH")) {
    TRY_VOID(draft.require({"ST_USER", "ST_KEY"}, ", which goes with ST_AUTH"));
    draft.credentials_are("ST_AUTH, ST_USER and ST_KEY");
  } else if (draft.has("OS_AUTH_URL")) {
    draft.credentials_are("OS_AUTH_URL and the other OS_ keys");
  } else if (draft.has("OS_STORAGE_URL")) {
    TRY_VOID(draft.require({"OS_AUTH_TOKEN"}, ", which goes with OS_STORAGE_URL"));
    draft.credentials_are("OS_STORAGE_URL and OS_AUTH_TOKEN");
  } else {
    return draft.missing("OS_AUTH_URL", " (nor ST_AUTH, nor OS_STORAGE_URL), which the swift backend needs");
  }
  draft.at_bucket("swift", swift);
  return draft.pass(kSwiftKeys);
}

Result<void> add_b2(Draft& draft, const api::BucketBackend& b2) {
  TRY_VOID(draft.require({"B2_ACCOUNT_ID", "B2_ACCOUNT_KEY"}, ", which the b2 backend needs"));
  draft.credentials_are("B2_ACCOUNT_ID and B2_ACCOUNT_KEY");
  draft.at_bucket("b2", b2);
  draft.connections("b2", b2.max_connections);
  return draft.pass(kB2Keys);
}

Result<void> add_rest(Draft& draft, const api::RestBackend& rest) {
  const api::UrlParts url = api::split_url(rest.url);
  const std::string bare = fmt::format("rest:{}://{}", url.scheme, url.rest);
  draft.access.location = bare;
  draft.access.repository = "rest:" + rest.url;
  draft.credentials_are("REST_SERVER_USERNAME and REST_SERVER_PASSWORD");
  if (!draft.has(kRestUser)) {
    if (draft.has(kRestPassword)) {
      draft.access.remarks.push_back(
          fmt::format("REST_SERVER_PASSWORD of the Secret \"{}\" is not used, for there is no REST_SERVER_USERNAME",
                      draft.backend.storage_secret_name));
    }
    return {};
  }
  if (draft.version.takes_rest_credentials()) {
    draft.access.repository = bare;
    TRY_VOID(draft.pass(kRestUser, "RESTIC_REST_USERNAME"));
    return draft.has(kRestPassword) ? draft.pass(kRestPassword, "RESTIC_REST_PASSWORD") : Result<void>{};
  }
  std::string user_info = percent_encoded(draft.value(kRestUser));
  if (draft.has(kRestPassword)) user_info += ":" + percent_encoded(draft.value(kRestPassword));
  draft.access.repository = fmt::format("rest:{}://{}@{}", url.scheme, user_info, url.rest);
  return {};
}

Result<void> add_backend(Draft& draft, const std::string& local_location, const std::string& secret_directory) {
  const api::Backend& backend = draft.backend;
  if (backend.s3 && !backend.local) return add_s3(draft, *backend.s3);
  const std::string_view kind = api::backend_kind(backend);
  if (kind == "gcs") return add_gcs(draft, *backend.gcs, secret_directory);
  if (kind == "azure") return add_azure(draft, *backend.azure);
  if (kind == "swift") return add_swift(draft, *backend.swift);
  if (kind == "b2") return add_b2(draft, *backend.b2);
  if (kind == "rest") return add_rest(draft, *backend.rest);
  draft.at(local_location);
  return {};
}

void add_if_long(std::vector<std::string>& values, std::string_view value) {
  // Replacing one or two letters everywhere would tell more than it hides.
  if (value.size() >= 3) values.emplace_back(value);
}

/// As we write user info, and as Go prints it back.
void add_encoded(std::vector<std::string>& values, std::string_view value) {
  constexpr std::string_view kGoLeaves = "$&+,;=";
  std::string as_go;
  for (const char c : value) as_go += kGoLeaves.contains(c) ? std::string(1, c) : percent_encoded({&c, 1});
  add_if_long(values, percent_encoded(value));
  add_if_long(values, as_go);
}

std::string percent_decoded(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() &&
                        std::isxdigit(static_cast<unsigned char>(text[i + 1])) &&
                        std::isxdigit(static_cast<unsigned char>(text[i + 2]));
    decoded += escape ? static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return decoded;
}

void add_user_info(std::vector<std::string>& values, const api::Backend& backend) {
  if (!backend.rest) return;
  const std::string user_info = api::split_url(backend.rest->url).user_info;
  add_if_long(values, user_info);
  const auto colon = user_info.find(':');
  if (colon == std::string::npos) return;
  const std::string password = user_info.substr(colon + 1), decoded = percent_decoded(password);
  add_if_long(values, password);
  add_if_long(values, decoded);
  add_encoded(values, decoded);
}

/// Whole, a key file is quoted nowhere; a line of its private key might be.
void add_private_key(std::vector<std::string>& values, std::string_view file) {
  const auto json = parse_json(file);
  if (!json || !json->is_object()) return;
  for (const std::string_view member : {"private_key_id", "client_secret", "refresh_token"}) {
    add_if_long(values, string_at(*json, {member}));
  }
  const std::string key = string_at(*json, {"private_key"});
  std::string_view rest = key;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    if (!line.starts_with("-----")) add_if_long(values, line);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
}

}  // namespace

Result<BackendAccess> backend_access(const api::Backend& backend, const std::string& local_location,
                                     const StorageSecret& secret, const std::string& secret_directory,
                                     const ResticVersion& version) {
  if (const auto fault = api::backend_fault(backend)) {
    return fail(ErrorCode::invalid, "the Repository cannot be used: " + to_string(*fault));
  }
  Draft draft{backend, secret, version, {}};
  if (!draft.has(kPassword)) return draft.missing(kPassword);
  TRY_VOID(draft.pass(kPassword, kPassword));
  TRY_VOID(add_backend(draft, local_location, secret_directory));
  if (draft.has(kCaCertificate)) {
    draft.access.flags.insert(draft.access.flags.end(),
                              {"--cacert", fmt::format("{}/{}", secret_directory, kCaCertificate)});
  }
  return std::move(draft.access);
}

std::span<const std::string_view> inherited_variables(std::string_view backend_kind) {
  if (backend_kind == "s3") return kS3Inherited;
  if (backend_kind == "azure") return kAzureInherited;
  return {};
}

std::vector<std::string> secret_values(const StorageSecret& secret, const api::Backend& backend) {
  std::vector<std::string> values;
  for (const auto& [key, value] : secret) {
    if (std::ranges::find(kNoSecrets, key) != std::end(kNoSecrets)) continue;
    for (const std::string_view text : {std::string_view(value), trimmed(value)}) {
      add_if_long(values, text);
      add_encoded(values, text);
    }
    if (key == kGoogleKey) add_private_key(values, value);
  }
  add_user_info(values, backend);
  std::ranges::sort(values, [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  values.erase(std::ranges::unique(values).begin(), values.end());
  return values;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  std::string encoded;
  for (const char c : text) {
    if (kPlain.contains(c)) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

}  // namespace stash::sidecar
