#include "webhook/review.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/resource.h"
#include "base/base64.h"
#include "base/text.h"

namespace stash::webhook {
namespace {

constexpr std::string_view kVersions[] = {"admission.k8s.io/v1", "admission.k8s.io/v1beta1"};
constexpr std::size_t kWarningLimit = 256;
// The API server cuts all warnings of one request at 4,096 characters; some room is left for those of others.
constexpr std::size_t kTotalLimit = 3584;
// A name in a refusal may be as long as an object.
constexpr std::size_t kRefusalLimit = 4096;

Json taken(Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? Json() : std::move(*found);
}

std::string cut(std::string text, std::size_t limit) {
  constexpr std::string_view kDots = "...";
  if (text.size() <= limit) return text;
  text.resize(first_bytes(text, limit - kDots.size()).size());
  return text.append(kDots);
}

std::string printable(std::string_view text) {
  // dump_json is what knows invalid UTF-8; C1 control characters are two bytes, C2 80 to C2 9F.
  const Json valid = Json::parse(dump_json(Json(std::string(text))), nullptr, false);
  const auto* bytes = valid.get_ptr<const std::string*>();
  std::string clean;
  for (std::size_t i = 0; bytes != nullptr && i < bytes->size(); ++i) {
    const auto c = static_cast<unsigned char>((*bytes)[i]);
    const auto next = i + 1 < bytes->size() ? static_cast<unsigned char>((*bytes)[i + 1]) : 0;
    if (c == 0xC2 && next >= 0x80 && next <= 0x9F) {
      clean += ' ';
      ++i;
    } else {
      clean += c < 0x20 || c == 0x7F ? ' ' : static_cast<char>(c);
    }
  }
  const auto first = clean.find_first_not_of(' ');
  if (first == std::string::npos) return "";
  return clean.substr(first, clean.find_last_not_of(' ') - first + 1);
}

}  // namespace

Result<Review> parse_review(std::string_view body) {
  TRY(Json envelope, parse_json(body));
  Review review;
  review.api_version = string_at(envelope, {"apiVersion"});
  if (string_at(envelope, {"kind"}) != "AdmissionReview" || std::ranges::count(kVersions, review.api_version) == 0) {
    return fail(ErrorCode::invalid, "this is no AdmissionReview of admission.k8s.io/v1");
  }
  const auto found = envelope.find("request");
  if (found == envelope.end() || !found->is_object()) {
    return fail(ErrorCode::invalid, "the AdmissionReview has no request");
  }
  Json& request = *found;
  review.uid = string_at(request, {"uid"});
  if (review.uid.empty()) return fail(ErrorCode::invalid, "the request of the AdmissionReview has no uid");
  review.group = string_at(request, {"kind", "group"});
  review.kind = string_at(request, {"kind", "kind"});
  review.name = string_at(request, {"name"});
  review.ns = string_at(request, {"namespace"});
  review.operation = string_at(request, {"operation"});
  review.user = string_at(request, {"userInfo", "username"});
  review.user_info = taken(request, "userInfo");
  review.subresource = string_at(request, {"subResource"});
  review.field_manager = string_at(request, {"options", "fieldManager"});
  review.dry_run = bool_at(request, {"dryRun"});
  review.object = taken(request, "object");
  review.old_object = taken(request, "oldObject");
  return review;
}

std::string render_answer(const Review& review, const Answer& answer) {
  // A workload is never refused, whatever goes wrong here.
  const bool refused = !answer.refusal.empty() && review.group == api::kRepositories.group;
  Json response = Json::object();
  response["uid"] = review.uid;
  response["allowed"] = !refused;
  if (refused)
    response["status"] = {
        {"code", 403}, {"reason", "Forbidden"}, {"message", cut(printable(answer.refusal), kRefusalLimit)}};
  if (auto warnings = fit_warnings(answer.warnings); !warnings.empty()) response["warnings"] = std::move(warnings);
  std::string text = R"({"apiVersion":)";
  append_json(text, review.api_version);
  text += R"(,"kind":"AdmissionReview","response":)";
  append_json(text, response);
  if (!answer.patch.empty()) {
    // The largest part by far: base64 has nothing in it that JSON escapes.
    text.pop_back();
    text += R"(,"patchType":"JSONPatch","patch":")";
    text += encode_base64(dump_json(answer.patch));
    text += R"("})";
  }
  text += '}';
  return text;
}

std::vector<std::string> fit_warnings(const std::vector<std::string>& warnings) {
  std::vector<std::string> fitted;
  std::size_t total = 0;
  std::size_t left_out = 0;
  for (const std::string& warning : warnings) {
    std::string text = cut(printable(warning), kWarningLimit);
    if (text.empty() || std::ranges::count(fitted, text) != 0) continue;
    if (total + text.size() > kTotalLimit) {
      ++left_out;
      continue;
    }
    total += text.size();
    fitted.push_back(std::move(text));
  }
  if (left_out > 0) fitted.push_back(fmt::format("stash: {} more warnings are not shown", left_out));
  return fitted;
}

}  // namespace stash::webhook
