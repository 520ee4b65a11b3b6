#include "inject/patch.h"

#include <algorithm>

namespace stash::inject {
namespace {

void append_step(std::string& pointer, std::string_view key) { pointer.append("/").append(escape_pointer(key)); }

std::string pointer_to(const Patch::Path& list, std::string_view element) {
  std::string pointer;
  pointer.reserve(list.pointer().size() + 1 + element.size());
  return pointer.append(list.pointer()).append("/").append(element);
}

}  // namespace

Patch::Path::Path(std::initializer_list<std::string_view> keys) : keys_(keys.begin(), keys.end()) {
  for (const std::string& key : keys_) append_step(pointer_, key);
}

std::string_view Patch::Path::pointer(std::size_t steps) const {
  if (steps == keys_.size()) return pointer_;
  std::size_t end = 0;  // a slash inside of a key is escaped
  for (; steps > 0; --steps) end = pointer_.find('/', end + 1);
  return std::string_view(pointer_).substr(0, end);
}

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
  Node* node = find(list.keys());
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

const Json* Patch::record(std::string_view operation, std::string pointer, std::shared_ptr<const Value> value) {
  const Value* added = operations_.emplace_back(operation, std::move(pointer), std::move(value)).value.get();
  return added == nullptr ? nullptr : &added->json;
}

void Patch::set(const Path& path, std::shared_ptr<const Value> value) {
  const Keys keys = path.keys();
  Node* node = &edited_;
  std::size_t depth = 0;
  for (; depth + 1 < keys.size(); ++depth) {
    Node* child = member(*node, keys[depth]);
    if (child == nullptr || !child->value->is_object()) break;
    node = child;
  }
  if (node->value == nullptr || !node->value->is_object()) return;
  for (std::size_t missing = keys.size() - 1; missing > depth; --missing) {
    Json parent = Json::object();
    parent[keys[missing]] = value->json;
    value = std::make_shared<const Value>(std::move(parent));
  }
  const bool exists = node->has_member(keys[depth]);
  if (exists && member(*node, keys[depth])->made() == value->json) return;
  node->members[keys[depth]] = {
      .value = record(exists ? "replace" : "add", std::string(path.pointer(depth + 1)), std::move(value))};
}

void Patch::unset_at(const Path& path, std::size_t steps) {
  const Keys keys = Keys(path.keys()).first(steps);
  if (look_at(keys).value == nullptr) return;
  const Keys parent_keys = keys.first(steps - 1);
  Node* parent = find(parent_keys);
  if (parent->count_members() == 1 && !parent_keys.empty()) return unset_at(path, steps - 1);
  record("remove", std::string(path.pointer(steps)), nullptr);
  parent->members[keys.back()] = {};
}

void Patch::append(const Path& list, std::vector<std::shared_ptr<const Value>> values) {
  std::vector<const Json*>* elements = nullptr;
  for (auto& value : values) {
    if (elements == nullptr) elements = elements_of(list);
    if (elements != nullptr) {
      elements->push_back(record("add", pointer_to(list, "-"), std::move(value)));
    } else {
      Json created = Json::array();
      created.push_back(value->json);
      set(list, std::move(created));
    }
  }
}

void Patch::replace(const Path& list, std::size_t index, std::shared_ptr<const Value> value) {
  std::vector<const Json*>* elements = list_with(list, index);
  if (elements == nullptr || *(*elements)[index] == value->json) return;
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
  element[key] = *record(current == nullptr ? "add" : "replace", std::move(pointer),
                         std::make_shared<const Value>(std::move(value)));
  (*elements)[index] = &element;
}

void Patch::erase(const Path& list, std::size_t index) {
  std::vector<const Json*>* elements = list_with(list, index);
  if (elements == nullptr) return;
  if (elements->size() == 1) return unset(list);
  record("remove", pointer_to(list, std::to_string(index)), nullptr);
  elements->erase(elements->begin() + static_cast<std::ptrdiff_t>(index));
}

Patch::Found Patch::look_at(Keys path) const {
  const Node* node = &edited_;
  for (std::size_t depth = 0; depth < path.size(); ++depth) {
    const auto found = node->members.find(path[depth]);
    if (found == node->members.end()) {
      const Json* value = node->value;
      for (; value != nullptr && depth < path.size(); ++depth) value = at(*value, {path[depth]});
      return {.value = value};
    }
    node = &found->second;
  }
  return {.node = node, .value = node->value};
}

Json Patch::edited(const Path& path) const {
  const auto [node, value] = look_at(path.keys());
  if (node != nullptr) return node->made();
  return value == nullptr ? Json() : *value;
}

}  // namespace stash::inject
