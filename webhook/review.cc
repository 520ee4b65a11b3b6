#include "webhook/review.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/resource.h"
#include "base/base64.h"
#include "base/json_text.h"
#include "base/text.h"
#include "inject/skim.h"

namespace stash::webhook {
namespace {

constexpr std::string_view kVersions[] = {"admission.k8s.io/v1", "admission.k8s.io/v1beta1"};
constexpr std::size_t kWarningLimit = 256;
// The API server cuts all warnings of one request at 4,096 characters; some room is left for those of others.
constexpr std::size_t kTotalLimit = 3584;
// A name in a refusal may be as long as an object.
constexpr std::size_t kRefusalLimit = 4096;

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

Result<Review> parse_review(std::string_view body, Reading reading) {
  TRY(JsonText text, JsonText::of(body));
  Review review;
  review.api_version = text.string_at({"apiVersion"});
  if (text.string_at({"kind"}) != "AdmissionReview" || std::ranges::count(kVersions, review.api_version) == 0) {
    return fail(ErrorCode::invalid, "this is no AdmissionReview of admission.k8s.io/v1");
  }
  if (!text.enter("request")) return fail(ErrorCode::invalid, "the AdmissionReview has no request");
  review.uid = text.string_at({"uid"});
  if (review.uid.empty()) return fail(ErrorCode::invalid, "the request of the AdmissionReview has no uid");
  review.group = text.string_at({"kind", "group"});
  review.kind = text.string_at({"kind", "kind"});
  review.name = text.string_at({"name"});
  review.ns = text.string_at({"namespace"});
  review.operation = text.string_at({"operation"});
  review.user = text.string_at({"userInfo", "username"});
  review.subresource = text.string_at({"subResource"});
  review.field_manager = text.string_at({"options", "fieldManager"});
  review.dry_run = text.bool_at({"dryRun"});
  const Skim* skim = nullptr;
  if (reading == Reading::for_injection) {
    skim = &inject::unread(/*is_update=*/!text.is_null({"oldObject"}));
    review.part_of = text.skims() ? body.size() : 0;
  } else {
    review.user_info = text.take({"userInfo"});
  }
  review.object = text.take({"object"}, skim);
  review.old_object = text.take({"oldObject"}, skim);
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
  const std::string patch = answer.patch.empty() ? "" : text_of(answer.patch);
  std::string text;
  text.reserve(1024 + patch.size() / 3 * 4);
  text += R"({"apiVersion":)";
  append_json(text, review.api_version);
  text += R"(,"kind":"AdmissionReview","response":)";
  append_json(text, response);
  if (!patch.empty()) {
    // The largest part by far: base64 has nothing in it that JSON escapes.
    text.pop_back();
    text += R"(,"patchType":"JSONPatch","patch":")";
    append_base64(text, patch);
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
