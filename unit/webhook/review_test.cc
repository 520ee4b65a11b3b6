#include "webhook/review.h"

#include <catch2/catch.hpp>

#include "api/resource.h"
#include "unit/support/review.h"

using namespace stash;
using namespace stash::test;
using namespace stash::webhook;

namespace {

const Json kObject = {{"metadata", {{"name", "web"}}}, {"spec", {{"replicas", 2}}}};

Json answer_to(const Review& review, const Answer& answer) { return parse_json(render_answer(review, answer)).value(); }

}  // namespace

TEST_CASE("a review is read with all that decisions need", "[webhook][review]") {
  Json envelope = a_review("apps", "Deployment", kObject, Json::object());
  envelope["request"]["dryRun"] = true;
  envelope["request"]["subResource"] = "scale";
  envelope["request"]["options"]["fieldManager"] = "kubectl-scale";
  const auto review = parse_review(envelope.dump());
  REQUIRE(review);
  CHECK(review->uid == "705ab4f5-6393-11e8-b7cc-42010a800002");
  CHECK(review->group == "apps");
  CHECK(review->kind == "Deployment");
  CHECK(review->name == "web");
  CHECK(review->ns == "demo");
  CHECK(review->operation == "UPDATE");
  CHECK(review->subresource == "scale");
  CHECK(review->field_manager == "kubectl-scale");
  CHECK(review->dry_run);
  CHECK(review->object == kObject);
  CHECK(review->old_object == Json::object());
}

TEST_CASE("an answer admits, echoes the UID and the version, and carries the patch in base64", "[webhook][review]") {
  const Review review{.api_version = "admission.k8s.io/v1beta1", .uid = "u\"1"};
  const inject::Operations patch = {{"add", "/metadata/x", std::make_shared<const inject::Value>("\u00e4")}};
  const Json answer = answer_to(review, {.patch = patch, .warnings = {"look out"}});
  CHECK(answer["apiVersion"] == "admission.k8s.io/v1beta1");
  CHECK(answer["kind"] == "AdmissionReview");
  CHECK(answer["response"]["uid"] == "u\"1");
  CHECK(answer["response"]["allowed"] == true);
  CHECK(answer["response"]["patchType"] == "JSONPatch");
  CHECK(patch_of(answer) == document(patch));
  CHECK(answer["response"]["warnings"] == Json{"look out"});
}

TEST_CASE("an answer without a patch has no patch type, and without warnings no list", "[webhook][review]") {
  const Json answer = answer_to({.api_version = "admission.k8s.io/v1", .uid = "u"}, {});
  CHECK(answer["response"] == Json{{"uid", "u"}, {"allowed", true}});
}

TEST_CASE("an answer with all that there can be is JSON with all of it", "[webhook][review]") {
  Review review{.api_version = "admission.k8s.io/v1"};
  review.uid = "with \"quotes\"";
  review.group = api::kRepositories.group;
  const inject::Operations patch = {{"add", "/a\"", std::make_shared<const inject::Value>("\"\\\n")}, {"remove", "/b"}};
  const Json answer = answer_to(review, {.patch = patch, .warnings = {"mind \"this\""}, .refusal = "not \"so\""});
  CHECK(string_at(answer, {"response", "uid"}) == review.uid);
  CHECK(patch_of(answer) == document(patch));
  CHECK(array_at(answer, {"response", "warnings"}) == Json::array({"mind \"this\""}));
  CHECK(string_at(answer, {"response", "status", "message"}) == "not \"so\"");
  CHECK(string_at(answer, {"apiVersion"}) == "admission.k8s.io/v1");
}

TEST_CASE("what is no review is invalid, and its content is not repeated", "[webhook][review][F64][I17]") {
  Json wrong_version = a_review("apps", "Deployment", kObject);
  wrong_version["apiVersion"] = "admission.k8s.io/v2";
  Json wrong_kind = a_review("apps", "Deployment", kObject);
  wrong_kind["kind"] = "List";
  Json no_uid = a_review("apps", "Deployment", kObject);
  no_uid["request"].erase("uid");
  Json number_uid = a_review("apps", "Deployment", kObject);
  number_uid["request"]["uid"] = 7;
  Json no_request = a_review("apps", "Deployment", kObject);
  no_request["request"] = "secret";
  for (const std::string& body :
       {std::string(), std::string("secret"), std::string("{\"secret\":"), std::string("null"), std::string("[]"),
        std::string("\xEF\xBB\xBF{}{"), std::string("NaN"), std::string("{\"a\":1}trailing"), std::string(100'000, '['),
        std::string(1, '\0'), wrong_version.dump(), wrong_kind.dump(), no_uid.dump(), number_uid.dump(),
        no_request.dump()}) {
    const auto review = parse_review(body);
    REQUIRE_FALSE(review);
    CHECK(review.error().code == ErrorCode::invalid);
    CHECK(review.error().message.find("secret") == std::string::npos);
  }
}

TEST_CASE("wrong types in a review count as absent", "[webhook][review][F64][I17]") {
  const Json good = a_review("apps", "Deployment", kObject);
  for (const auto& [key, value] : good["request"].items()) {
    if (key == "uid") continue;
    for (const Json& wrong :
         {Json(1), Json("x"), Json(nullptr), Json::array({1}), Json::object({{"a", 1}}), Json(true)}) {
      Json changed = good;
      changed["request"][key] = wrong;
      CHECK(parse_review(changed.dump()));
    }
  }
}

TEST_CASE("a review deeper than any object is refused, not recursed into", "[webhook][review][F64][I17]") {
  const std::string deep = std::string(10'000, '[') + std::string(10'000, ']');
  CHECK_FALSE(parse_review("{\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"u\",\"object\":" + deep + "}}"));
}

TEST_CASE("warnings are made to fit what the API server passes on", "[webhook][review]") {
  CHECK(fit_warnings({"a\nb\x1b[31m", "", "  ", "a\nb\x1b[31m"}) == std::vector<std::string>{"a b [31m"});
  CHECK(fit_warnings({"c1 \xC2\x9B here"}) == std::vector<std::string>{"c1   here"});

  const auto invalid = fit_warnings({"bad \xff byte"});
  CHECK(invalid == std::vector<std::string>{"bad \xEF\xBF\xBD byte"});

  INFO("a long one is cut between characters");
  std::string long_text = "x";
  for (int i = 0; i < 200; ++i) long_text += "\xC3\xA4";
  const auto cut = fit_warnings({long_text});
  REQUIRE(cut.size() == 1);
  CHECK(cut[0].size() <= 256);
  CHECK(cut[0].ends_with("\xC3\xA4..."));
}

TEST_CASE("many warnings end in a count of those left out", "[webhook][review]") {
  std::vector<std::string> many;
  for (int i = 0; i < 40; ++i) many.push_back(std::to_string(i) + std::string(250, 'x'));
  const auto fitted = fit_warnings(many);
  std::size_t total = 0;
  for (const std::string& warning : fitted) total += warning.size();
  CHECK(total <= 4096);
  CHECK(fitted.back() == "stash: 26 more warnings are not shown");
}
