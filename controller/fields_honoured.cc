#include "controller/fields_honoured.h"

namespace stash::controller {
namespace {

std::string joined(const std::vector<std::string>& fields) {
  std::string text;
  for (const std::string& field : fields) text += (text.empty() ? "" : ", ") + field;
  return text;
}

}  // namespace

std::string ignored_fields_text(const api::IgnoredFields& ignored) {
  std::string text;
  if (!ignored.not_yet.empty()) text = "not acted on by this version: " + joined(ignored.not_yet);
  if (!ignored.unknown.empty()) {
    text += (text.empty() ? "" : "; ") + ("unknown, perhaps misspelt: " + joined(ignored.unknown));
  }
  return text;
}

}  // namespace stash::controller
