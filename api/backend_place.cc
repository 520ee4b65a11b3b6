#include "api/backend_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "api/backend_check.h"
#include "base/text.h"

namespace stash::api {
namespace {

/// "a//b/" -> "a/b".
std::string clean(std::string_view path) {
  std::string text = std::filesystem::path(path).lexically_normal().string();
  while (text.ends_with('/')) text.pop_back();
  while (text.starts_with('/')) text.erase(0, 1);
  return text == "." ? "" : text;
}

/// Host and path of a URL, or of what is one but for its scheme.
std::string host_and_path(std::string_view url) {
  const std::string rest = split_url(url).rest;
  const auto slash = std::min(rest.find('/'), rest.size());
  return fmt::format("{}/{}", lower_case(rest.substr(0, slash)), clean(rest.substr(slash)));
}

std::string place_of_local(const LocalBackend& local) {
  const Json& source = local.volume_source;
  if (const std::string claim = string_at(source, {"persistentVolumeClaim", "claimName"}); !claim.empty())
    return fmt::format("claim {}:{}", claim, clean(local.sub_path));
  const std::string server = string_at(source, {"nfs", "server"});
  if (server.empty()) return "";
  return fmt::format("nfs {}:{}", lower_case(server), clean(string_at(source, {"nfs", "path"}) + "/" + local.sub_path));
}

/// A prefix may name the bucket a second time (contract 3.2).
std::string place_of_s3(const S3Backend& s3) {
  std::string_view prefix = s3.prefix;
  if (const std::string again = s3.bucket + "/"; prefix.starts_with(again)) prefix.remove_prefix(again.size());
  return fmt::format("s3 {}:{}", host_and_path(s3.endpoint), clean(fmt::format("{}/{}", s3.bucket, prefix)));
}

/// Where names are unique within an account only, the Secret stands for the account.
std::string place_of_bucket(std::string_view kind, std::string_view account, const BucketBackend& backend) {
  return fmt::format("{} {}:{}/{}", kind, account, backend.bucket, clean(backend.prefix));
}

}  // namespace

std::string place_of(const Backend& backend) {
  if (backend.local) return place_of_local(*backend.local);
  if (backend.s3) return place_of_s3(*backend.s3);
  if (backend.gcs) return place_of_bucket("gcs", "", *backend.gcs);
  if (backend.azure) return place_of_bucket("azure", backend.storage_secret_name, *backend.azure);
  if (backend.swift) return place_of_bucket("swift", backend.storage_secret_name, *backend.swift);
  if (backend.b2) return place_of_bucket("b2", "", *backend.b2);
  if (backend.rest) return "rest " + host_and_path(backend.rest->url);
  return "";
}

Sharing sharing_of(const Backend& backend) {
  const auto is_on = [&backend](const char* source) {
    const Json* found = backend.local ? at(backend.local->volume_source, {source}) : nullptr;
    return found != nullptr && !found->is_null();
  };
  if (is_on("hostPath")) return Sharing::node;
  return is_on("emptyDir") ? Sharing::pod : Sharing::all;
}

}  // namespace stash::api
