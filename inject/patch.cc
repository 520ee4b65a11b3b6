#include "inject/patch.h"

#include <algorithm>

namespace stash::inject {
namespace {

void append_step(std::string& pointer, std::string_view key) {
  pointer += '/';
  if (std::ranges::none_of(key, [](char c) { return c == '~' || c == '/'; })) {
    pointer += key;
  } else {
    pointer += escape_pointer(key);
  }
}

/// To the first `steps` of the keys.
std::string pointer_to(std::span<const std::string> path, std::size_t steps) {
  std::string pointer;
  pointer.reserve(64);
  for (std::size_t i = 0; i < steps; ++i) append_step(pointer, path[i]);
  return pointer;
}

std::string pointer_to(const Patch::Path& list, std::string_view element) {
  std::string pointer = pointer_to(list, list.size());
  append_step(pointer, element);
  return pointer;
}

}  // namespace

const Json* Patch::Node::member_of_value(std::string_view key) const {
  return value == nullptr ? nullptr : at(*value, {key});
}

bool Patch::Node::has_member(std::string_view key) const {
  const auto found = members.find(key);
  return (found == members.end() ? member_of_value(key) : found->second.value) != nullptr;
}

std::size_t Patch::Node::count_members() const {
  std::size_t count = value == nullptr ? 0 : value->size();
  for (const auto& [key, member] : members) {
    const bool was = member_of_value(key) != nullptr;
    const bool is = member.value != nullptr;
    if (was != is) count = is ? count + 1 : count - 1;
  }
  return count;
}

Json Patch::Node::made() const {
  if (value == nullptr) return nullptr;
  if (elements) {
    Json list = Json::array();
    for (const Json* element : *elements) list.push_back(*element);
    return list;
  }
  if (members.empty()) return *value;
  Json object = Json::object();
  for (const auto& [key, member] : value->items()) {
    if (!members.contains(key)) object[key] = member;
  }
  for (const auto& [key, member] : members) {
    if (member.value != nullptr) object[key] = member.made();
  }
  return object;
}

Patch::Node* Patch::member(Node& node, const std::string& key) {
  auto found = node.members.find(key);
  if (found == node.members.end()) {
    const Json* value = node.member_of_value(key);
    if (value == nullptr) return nullptr;
    found = node.members.emplace(key, Node{.value = value}).first;
  }
  return found->second.value == nullptr ? nullptr : &found->second;
}

Patch::Node* Patch::find(Keys path) {
  Node* node = &edited_;
  for (const std::string& key : path) {
    node = member(*node, key);
    if (node == nullptr) return nullptr;
  }
  return node;
}

std::vector<const Json*>* Patch::elements_of(const Path& list) {
  Node* node = find(list);
  if (node == nullptr || !node->value->is_array()) return nullptr;
  if (!node->elements) {
    node->elements.emplace();
    for (const Json& element : *node->value) node->elements->push_back(&element);
  }
  return &*node->elements;
}

std::vector<const Json*>* Patch::list_with(const Path& list, std::size_t index) {
  std::vector<const Json*>* elements = elements_of(list);
  return elements != nullptr && index < elements->size() ? elements : nullptr;
}

const Json* Patch::record(const char* operation, std::string pointer, std::optional<Json> value) {
  Json& entry = operations_.emplace_back(Json::value_t::object);
  auto& members = entry.get_ref<Json::object_t&>();
  members.emplace("op", operation);
  members.emplace("path", std::move(pointer));
  return value ? &members.emplace("value", *std::move(value)).first->second : nullptr;
}

void Patch::set(const Path& path, Json value) {
  Node* node = &edited_;
  std::size_t depth = 0;
  for (; depth + 1 < path.size(); ++depth) {
    Node* child = member(*node, path[depth]);
    if (child == nullptr || !child->value->is_object()) break;
    node = child;
  }
  if (node->value == nullptr || !node->value->is_object()) return;
  for (std::size_t missing = path.size() - 1; missing > depth; --missing) {
    Json parent = Json::object();
    parent[path[missing]] = std::move(value);
    value = std::move(parent);
  }
  const bool exists = node->has_member(path[depth]);
  if (exists && member(*node, path[depth])->made() == value) return;
  node->members[path[depth]] = {.value =
                                    record(exists ? "replace" : "add", pointer_to(path, depth + 1), std::move(value))};
}

void Patch::unset_at(Keys path) {
  const Keys parent_path = path.first(path.size() - 1);
  Node* parent = find(parent_path);
  if (parent == nullptr || !parent->has_member(path.back())) return;
  if (parent->count_members() == 1 && !parent_path.empty()) return unset_at(parent_path);
  record("remove", pointer_to(path, path.size()), std::nullopt);
  parent->members[path.back()] = {};
}

void Patch::append(const Path& list, Json value) {
  if (std::vector<const Json*>* elements = elements_of(list)) {
    elements->push_back(record("add", pointer_to(list, "-"), std::move(value)));
    return;
  }
  Json created = Json::array();
  created.push_back(std::move(value));
  set(list, std::move(created));
}

void Patch::replace(const Path& list, std::size_t index, Json value) {
  std::vector<const Json*>* elements = list_with(list, index);
  if (elements == nullptr || *(*elements)[index] == value) return;
  (*elements)[index] = record("replace", pointer_to(list, std::to_string(index)), std::move(value));
}

void Patch::replace_member(const Path& list, std::size_t index, const std::string& key, Json value) {
  std::vector<const Json*>* elements = list_with(list, index);
  if (elements == nullptr || !(*elements)[index]->is_object()) return;
  const Json* current = at(*(*elements)[index], {key});
  if (current != nullptr && *current == value) return;
  std::string pointer = pointer_to(list, std::to_string(index));
  append_step(pointer, key);
  Json& element = own_.emplace_back(*(*elements)[index]);
  element[key] = *record(current == nullptr ? "add" : "replace", std::move(pointer), std::move(value));
  (*elements)[index] = &element;
}

void Patch::erase(const Path& list, std::size_t index) {
  std::vector<const Json*>* elements = list_with(list, index);
  if (elements == nullptr) return;
  if (elements->size() == 1) return unset(list);
  record("remove", pointer_to(list, std::to_string(index)), std::nullopt);
  elements->erase(elements->begin() + static_cast<std::ptrdiff_t>(index));
}

Json Patch::edited(const Path& path) const {
  const Node* node = &edited_;
  for (std::size_t depth = 0; depth < path.size(); ++depth) {
    const auto found = node->members.find(path[depth]);
    if (found == node->members.end()) {
      const Json* value = node->value;
      for (; value != nullptr && depth < path.size(); ++depth) value = at(*value, {path[depth]});
      return value == nullptr ? Json() : *value;
    }
    node = &found->second;
  }
  return node->made();
}

}  // namespace stash::inject
