#include "cli/manifest.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>

namespace stash::cli {

namespace {

constexpr int kDeepest = 200;

constexpr std::string_view kTrue[] = {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"};
constexpr std::string_view kFalse[] = {"n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"};

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Json scalar_of(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str" || node.Tag() == "!!str") return text;  // quoted
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (std::ranges::find(kTrue, text) != std::end(kTrue)) return true;
  if (std::ranges::find(kFalse, text) != std::end(kFalse)) return false;
  // An octal such as 0644 is a number of YAML 1.1.
  if (text.size() > 1 && text.front() == '0' && text.find_first_not_of("01234567") == std::string::npos) {
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number, 8);
    return number;
  }
  if (const auto number = number_of<std::int64_t>(text)) return *number;
  const bool like_a_number = text.find_first_not_of("0123456789.eE+-") == std::string::npos;
  if (like_a_number && text.find_first_of("0123456789") != std::string::npos) {
    if (const auto number = number_of<double>(text)) return *number;
  }
  return text;
}

Json value_of(const YAML::Node& node, int depth);

bool is_merge(const YAML::Node& key) { return key.Scalar() == "<<" && key.Tag() != "!"; }  // "!" is quoted

/// Of a list the first map wins, as kubectl has it (sigs.k8s.io/yaml).
void merge(const YAML::Node& key, const YAML::Node& node, int depth, Json& map) {
  std::vector<Json> maps;
  if (node.IsMap()) maps.push_back(value_of(node, depth + 1));
  bool mergeable = node.IsMap() || node.IsSequence();
  for (std::size_t i = node.IsSequence() ? node.size() : 0; i > 0; --i) {
    mergeable = mergeable && node[i - 1].IsMap();
    if (mergeable) maps.push_back(value_of(node[i - 1], depth + 1));
  }
  if (!mergeable) throw YAML::Exception(key.Mark(), "<< merges a map or a list of maps, and nothing else");
  for (const Json& one : maps) map.update(one);
}

Json value_of(const YAML::Node& node, int depth) {
  if (depth > kDeepest) throw YAML::Exception(node.Mark(), "nested too deeply");
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return scalar_of(node);
    case YAML::NodeType::Sequence: {
      Json list = Json::array();
      for (const YAML::Node& item : node) list.push_back(value_of(item, depth + 1));
      return list;
    }
    case YAML::NodeType::Map: {
      Json map = Json::object();
      for (const auto& entry : node) {
        if (!entry.first.IsScalar()) throw YAML::Exception(entry.first.Mark(), "a key that is no text");
        // In its place: what stands above it is replaced, what stands below replaces it.
        if (is_merge(entry.first)) {
          merge(entry.first, entry.second, depth, map);
          continue;
        }
        map[entry.first.Scalar()] = value_of(entry.second, depth + 1);
      }
      return map;
    }
    default:
      return nullptr;
  }
}

bool has_kind(const Json& object) { return object.is_object() && !string_at(object, {"kind"}).empty(); }

Result<void> add_document(Json document, std::size_t number, std::vector<Json>& objects) {
  if (document.is_null()) return {};  // an empty one, as after a trailing ---
  if (!has_kind(document)) {
    return fail(ErrorCode::invalid, fmt::format("document {} is no Kubernetes object: it has no kind", number));
  }
  if (const Json* items = at(document, {"items"}); items != nullptr && items->is_array()) {
    for (const Json& item : *items) {
      if (!has_kind(item)) {
        return fail(ErrorCode::invalid, fmt::format("document {}: an item of the list has no kind", number));
      }
      objects.push_back(item);
    }
    return {};
  }
  objects.push_back(std::move(document));
  return {};
}

}  // namespace

Result<std::vector<Json>> read_manifests(std::string_view text) {
  std::vector<Json> objects;
  try {
    std::size_t number = 0;
    for (const YAML::Node& document : YAML::LoadAll(std::string(text))) {
      TRY_VOID(add_document(value_of(document, 0), ++number, objects));
    }
  } catch (const YAML::Exception& problem) {
    return fail(ErrorCode::invalid, fmt::format("not YAML, at line {}: {}", problem.mark.line + 1, problem.msg));
  }
  return objects;
}

bool is_kind(const Json& object, const api::Resource& kind) {
  const std::string version = string_at(object, {"apiVersion"});
  const auto slash = version.find('/');
  return string_at(object, {"kind"}) == kind.kind &&
         (slash == std::string::npos ? std::string_view() : std::string_view(version).substr(0, slash)) == kind.group;
}

const Json* find_object(const std::vector<Json>& objects, const api::Resource& kind, const std::string& name,
                        const std::string& ns) {
  const auto found = std::ranges::find_if(objects, [&](const Json& object) {
    return is_kind(object, kind) && string_at(object, {"metadata", "name"}) == name &&
           (!kind.namespaced || string_at(object, {"metadata", "namespace"}, ns) == ns);
  });
  return found == objects.end() ? nullptr : &*found;
}

bool is_same_object(const Json& one, const Json& other, const std::string& ns) {
  return string_at(one, {"kind"}) == string_at(other, {"kind"}) &&
         string_at(one, {"metadata", "name"}) == string_at(other, {"metadata", "name"}) &&
         string_at(one, {"metadata", "namespace"}, ns) == string_at(other, {"metadata", "namespace"}, ns);
}

}  // namespace stash::cli
