#include "api/schema.h"

#include <algorithm>

namespace stash::api::schema {
namespace {

std::pair<std::string_view, std::string_view> split(std::string_view path) {
  const auto dot = path.find('.');
  if (dot == std::string_view::npos) return {path, {}};
  return {path.substr(0, dot), path.substr(dot + 1)};
}

/// As Go's omitempty sees it: whoever wrote this did not ask for anything.
bool is_unset(const Node& node, const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return true;
    case Json::value_t::boolean:
      return !node.false_matters && value == false;
    case Json::value_t::string:
      return value.get_ref<const std::string&>().empty();
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::number_float:
      return value == 0;
    default:
      return value.empty();
  }
}

bool is_shadowed(const Node& node, const Json& parent, const Json& value) {
  if (node.yields_to.empty()) return false;
  const Json* preferred = find(parent, node.yields_to);
  return preferred != nullptr && !preferred->empty() && *preferred != value;
}

}  // namespace

const Node* Node::property(std::string_view name) const {
  const auto found = std::ranges::find(properties, name, &Node::name);
  return found == properties.end() ? nullptr : &*found;
}

Node& Node::make(std::string_view path) {
  const auto [first, rest] = split(path);
  auto found = std::ranges::find(properties, first, &Node::name);
  if (found == properties.end()) found = properties.insert(properties.end(), Node{.name = std::string(first)});
  return rest.empty() ? *found : found->make(rest);
}

void Node::set(std::string_view path, Node child) {
  Node& place = make(path);
  child.name = std::move(place.name);
  place = std::move(child);
}

const Json* find(const Json& object, std::string_view path) {
  const Json* value = &object;
  while (!path.empty()) {
    const auto [first, rest] = split(path);
    value = at(*value, {first});
    if (value == nullptr || value->is_null()) return nullptr;
    path = rest;
  }
  return value;
}

void put(Json& object, std::string_view path, Json value) {
  const auto [first, rest] = split(path);
  Json& child = object[std::string(first)];
  if (rest.empty()) {
    child = std::move(value);
    return;
  }
  if (!child.is_object()) child = Json::object();
  put(child, rest, std::move(value));
}

void collect_ignored(const Node& node, const Json& value, const std::string& pointer, IgnoredFields& ignored) {
  if (is_unset(node, value)) return;
  if (node.not_yet || (!node.only.empty() && value != node.only)) {
    ignored.not_yet.push_back(pointer);
    return;
  }
  if (node.type == Type::list && value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      collect_ignored(node.items.front(), value[i], pointer + "/" + std::to_string(i), ignored);
    }
  }
  if (node.type != Type::object || node.open || !value.is_object()) return;
  for (const auto& [key, child] : value.items()) {
    const std::string where = pointer + "/" + escape_pointer(key);
    const Node* property = node.property(key);
    if (property == nullptr) {
      if (!child.is_null()) ignored.unknown.push_back(where);
    } else if (is_shadowed(*property, value, child) && !is_unset(*property, child)) {
      ignored.not_yet.push_back(where);
    } else {
      collect_ignored(*property, child, where, ignored);
    }
  }
}

Json to_open_api(const CelRule& rule) {
  Json out{{"rule", rule.expression}, {"message", rule.message}};
  if (!rule.field_path.empty()) out["fieldPath"] = rule.field_path;
  return out;
}

Json to_open_api(const Node& node) {
  Json out = Json::object();
  if (!node.doc.empty()) out["description"] = node.doc + (node.not_yet ? " Accepted, but not acted on yet." : "");
  switch (node.type) {
    case Type::text:
      out["type"] = "string";
      break;
    case Type::boolean:
      out["type"] = "boolean";
      break;
    case Type::integer:
      out["type"] = "integer";
      out["format"] = node.maximum > std::numeric_limits<std::int32_t>::max() ? "int64" : "int32";
      break;
    case Type::time:
      // Go writes a time that was never set as null.
      out.update({{"type", "string"}, {"format", "date-time"}, {"nullable", true}});
      break;
    case Type::quantity:
    case Type::generation:
      out["x-kubernetes-int-or-string"] = true;
      out["anyOf"] = Json::array({{{"type", "integer"}}, {{"type", "string"}}});
      break;
    case Type::list:
      out["type"] = "array";
      out["items"] = to_open_api(node.items.front());
      break;
    case Type::object:
      out["type"] = "object";
      out["x-kubernetes-preserve-unknown-fields"] = true;
      for (const Node& property : node.properties) out["properties"][property.name] = to_open_api(property);
      break;
  }
  if (node.max_items != 0) out["maxItems"] = node.max_items;
  if (node.max_length != 0) out["maxLength"] = node.max_length;
  if (node.unique_items) out["x-kubernetes-list-type"] = "set";
  if (!node.list_key.empty()) {
    out["x-kubernetes-list-type"] = "map";
    out["x-kubernetes-list-map-keys"] = Json::array({node.list_key});
  }
  if (!node.required.empty()) out["required"] = node.required;
  for (const CelRule& rule : node.rules) {
    out["x-kubernetes-validations"].push_back(to_open_api(rule));
  }
  return out;
}

}  // namespace stash::api::schema
