#include "inject/operations.h"

#include <utility>

namespace stash::inject {

bool operator==(const Operation& left, const Operation& right) {
  if (left.op != right.op || left.path != right.path) return false;
  if (left.value == nullptr || right.value == nullptr) return left.value == right.value;
  return left.value->json == right.value->json;
}

Json document(const Operations& operations) {
  Json list = Json::array();
  for (const Operation& operation : operations) {
    Json& entry = list.emplace_back(Json{{"op", operation.op}, {"path", operation.path}});
    if (operation.value) entry["value"] = operation.value->json;
  }
  return list;
}

std::string text_of(const Operations& operations) {
  std::string text;
  text.reserve(4096);
  char before = '[';
  for (const Operation& operation : operations) {
    text += std::exchange(before, ',');
    text += R"({"op":")";
    text += operation.op;
    text += R"(","path":)";
    append_json(text, operation.path);
    if (operation.value) {
      text += R"(,"value":)";
      if (operation.value->text.empty()) {
        append_json(text, operation.value->json);
      } else {
        text += operation.value->text;
      }
    }
    text += '}';
  }
  text += operations.empty() ? "[]" : "]";
  return text;
}

}  // namespace stash::inject
