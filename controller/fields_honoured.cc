#include "controller/fields_honoured.h"

#include <fmt/format.h>

namespace stash::controller {

std::string ignored_fields_text(const api::IgnoredFields& ignored) {
  std::string text;
  if (!ignored.not_yet.empty())
    text = fmt::format("not acted on by this version: {}", fmt::join(ignored.not_yet, ", "));
  if (!ignored.unknown.empty()) {
    text += (text.empty() ? "" : "; ") + fmt::format("unknown, perhaps misspelt: {}", fmt::join(ignored.unknown, ", "));
  }
  return text;
}

}  // namespace stash::controller
