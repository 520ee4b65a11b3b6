#include "controller/blueprint_variables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "controller/kind_name.h"

namespace stash::controller {
namespace {

constexpr std::string_view kOpen = "${", kDefault = ":=";

/// The text between the braces.
Result<std::string> value_of(std::string_view inside, const Variables& variables, const std::string& pointer) {
  const auto separator = inside.find(kDefault);
  const std::string name(inside.substr(0, separator));
  const auto found = variables.find(name);
  const bool is_known = found != variables.end();
  if (is_known && (!found->second.empty() || separator == std::string_view::npos)) return found->second;
  if (separator != std::string_view::npos) return std::string(inside.substr(separator + kDefault.size()));
  std::vector<std::string> names;
  for (const auto& [known, value] : variables) names.push_back(known);
  return fail(ErrorCode::invalid, fmt::format("{}: ${{{}}} is no variable; there are {}; write $${{{}}} for the text",
                                              pointer, name, fmt::join(names, ", "), name));
}

Result<std::string> text_with_variables(std::string_view text, const Variables& variables, const std::string& pointer) {
  std::string result;
  while (true) {
    const auto open = text.find(kOpen);
    if (open == std::string_view::npos) return result + std::string(text);
    const bool escaped = open > 0 && text[open - 1] == '$';
    result += text.substr(0, escaped ? open - 1 : open);
    if (escaped) {
      result += kOpen;
      text.remove_prefix(open + kOpen.size());
      continue;
    }
    text.remove_prefix(open + kOpen.size());
    const auto close = text.find('}');
    if (close == std::string_view::npos) {
      return fail(ErrorCode::invalid, fmt::format("{}: ${{{} is not closed; add the }}", pointer, text));
    }
    TRY(const std::string value, value_of(text.substr(0, close), variables, pointer));
    result += value;
    text.remove_prefix(close + 1);
  }
}

}  // namespace

Variables variables_of(const api::WorkloadRef& workload) {
  const api::Resource& resource = workload.kind->resource;
  return {{"TARGET_API_VERSION", resource.api_version()},
          {"TARGET_KIND", singular(resource.kind)},
          {"TARGET_NAME", workload.ref.name},
          {"TARGET_NAMESPACE", workload.ref.ns},
          {"TARGET_RESOURCE", std::string(resource.plural)}};
}

Result<Json> with_variables(const Json& value, const Variables& variables, const std::string& pointer) {
  if (value.is_string()) {
    TRY(std::string text, text_with_variables(value.get_ref<const std::string&>(), variables, pointer));
    return Json(std::move(text));
  }
  Json result = value;
  if (value.is_object()) {
    for (auto& [key, member] : result.items()) {
      TRY(Json replaced, with_variables(member, variables, fmt::format("{}/{}", pointer, key)));
      member = std::move(replaced);
    }
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      TRY(Json replaced, with_variables(value[i], variables, fmt::format("{}/{}", pointer, i)));
      result[i] = std::move(replaced);
    }
  }
  return result;
}

}  // namespace stash::controller
