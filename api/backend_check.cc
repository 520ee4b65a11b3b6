#include "api/backend_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace stash::api {
namespace {

using Fault = std::optional<BackendFault>;

Fault fault(std::string_view field, std::string_view remedy) {
  return BackendFault{fmt::format("/spec/backend{}", field), std::string(remedy)};
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return std::iscntrl(c) != 0; });
}

/// `field` is "/s3/bucket"; `what` completes "set ...".
Fault text_fault(std::string_view field, std::string_view value, std::string_view what) {
  if (value.empty()) return fault(field, fmt::format("is missing; set {}", what));
  if (has_control(value)) return fault(field, "holds a line break or another control character; remove it");
  return std::nullopt;
}

Fault prefix_fault(std::string_view field, std::string_view value) {
  if (has_control(value)) return fault(field, "holds a line break or another control character; remove it");
  return std::nullopt;
}

Fault local_fault(const LocalBackend& local) {
  if (Fault found = text_fault("/local/mountPath", local.mount_path, "an absolute path, such as /safe/data")) {
    return found;
  }
  if (!local.mount_path.starts_with('/')) return fault("/local/mountPath", "must be an absolute path");
  return std::nullopt;
}

Fault s3_fault(const S3Backend& s3) {
  if (Fault found = text_fault("/s3/endpoint", s3.endpoint,
                               "the host of the store, such as s3.amazonaws.com, or its URL, such as "
                               "http://minio.demo.svc:9000")) {
    return found;
  }
  const UrlParts url = split_url(s3.endpoint);
  if (!url.scheme.empty() && url.scheme != "http" && url.scheme != "https") {
    return fault("/s3/endpoint", "must be a host, or a URL that begins with http:// or https://");
  }
  if (!url.user_info.empty()) {
    return fault("/s3/endpoint",
                 "holds credentials; move them to the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the storage "
                 "Secret");
  }
  if (url.rest.empty() || url.rest.starts_with('/')) return fault("/s3/endpoint", "names no host");
  if (Fault found = text_fault("/s3/bucket", s3.bucket, "the name of the bucket")) return found;
  if (s3.bucket.find_first_not_of('/') == std::string::npos) return fault("/s3/bucket", "names no bucket");
  if (Fault found = prefix_fault("/s3/region", s3.region)) return found;
  return prefix_fault("/s3/prefix", s3.prefix);
}

Fault bucket_fault(std::string_view kind, std::string_view noun, const BucketBackend& backend) {
  const std::string field = fmt::format("/{}/{}", kind, noun);
  if (Fault found = text_fault(field, backend.bucket, fmt::format("the name of the {}", noun))) return found;
  // restic reads "<kind>:<name>:/<prefix>".
  if (backend.bucket.find_first_of(":/") != std::string::npos) {
    return fault(field, fmt::format("must be the name of the {} alone, without : and /; directories belong into "
                                    "prefix",
                                    noun));
  }
  return prefix_fault(fmt::format("/{}/prefix", kind), backend.prefix);
}

Fault rest_fault(const RestBackend& rest) {
  if (Fault found = text_fault("/rest/url", rest.url, "the URL of the REST server, such as https://host:8000/name")) {
    return found;
  }
  const UrlParts url = split_url(rest.url);
  if (url.scheme != "http" && url.scheme != "https" && url.scheme != "http+unix") {
    return fault("/rest/url", "must begin with http:// or https://");
  }
  if (url.rest.empty() || (url.rest.starts_with('/') && url.scheme != "http+unix")) {
    return fault("/rest/url", "names no host");
  }
  return std::nullopt;
}

}  // namespace

std::string to_string(const BackendFault& fault) { return fault.pointer + " " + fault.remedy; }

std::optional<BackendFault> backend_fault(const Backend& backend) {
  if (backend.local) return local_fault(*backend.local);
  if (backend.s3) return s3_fault(*backend.s3);
  if (backend.gcs) return bucket_fault("gcs", "bucket", *backend.gcs);
  if (backend.azure) return bucket_fault("azure", "container", *backend.azure);
  if (backend.swift) return bucket_fault("swift", "container", *backend.swift);
  if (backend.b2) return bucket_fault("b2", "bucket", *backend.b2);
  if (backend.rest) return rest_fault(*backend.rest);
  return fault("", "names no backend; set one of local, s3, gcs, azure, swift, b2, rest");
}

std::vector<std::string> backend_warnings(const Backend& backend) {
  std::vector<std::string> warnings;
  const std::string_view winner = backend_kind(backend);
  for (const auto& [kind, present] :
       {std::pair("s3", backend.s3.has_value()), std::pair("gcs", backend.gcs.has_value()),
        std::pair("azure", backend.azure.has_value()), std::pair("swift", backend.swift.has_value()),
        std::pair("b2", backend.b2.has_value()), std::pair("rest", backend.rest.has_value())}) {
    if (!present || kind == winner) continue;
    warnings.push_back(
        fmt::format("/spec/backend/{0} is ignored, for {1} comes before it; remove one of the two", kind, winner));
  }
  if (winner == "rest" && !split_url(backend.rest->url).user_info.empty()) {
    warnings.emplace_back(
        "/spec/backend/rest/url holds credentials that everybody who can read the Repository can read; move them to "
        "the keys REST_SERVER_USERNAME and REST_SERVER_PASSWORD of the storage Secret");
  }
  return warnings;
}

UrlParts split_url(std::string_view url) {
  UrlParts parts;
  if (const auto end = url.find("://"); end != std::string_view::npos) {
    parts.scheme = url.substr(0, end);
    url.remove_prefix(end + 3);
  }
  const std::string_view authority = url.substr(0, url.find_first_of("/?#"));
  if (const auto at_sign = authority.rfind('@'); at_sign != std::string_view::npos) {
    parts.user_info = authority.substr(0, at_sign);
    url.remove_prefix(at_sign + 1);
  }
  parts.rest = url;
  return parts;
}

}  // namespace stash::api
