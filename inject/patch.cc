#include "inject/patch.h"

namespace stash::inject {
namespace {

std::string pointer_to(const Patch::Path& path) {
  std::string pointer;
  for (const std::string& key : path) pointer += "/" + escape_pointer(key);
  return pointer;
}

Json* member(Json& object, const std::string& key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

}  // namespace

Json* Patch::find(const Path& path) {
  Json* node = &workload_;
  for (const std::string& key : path) {
    node = member(*node, key);
    if (node == nullptr) return nullptr;
  }
  return node;
}

void Patch::record(const char* operation, std::string pointer, const Json* value) {
  Json entry = Json::object();
  entry["op"] = operation;
  entry["path"] = std::move(pointer);
  if (value != nullptr) entry["value"] = *value;
  operations_.push_back(std::move(entry));
}

void Patch::set(const Path& path, Json value) {
  Json* node = &workload_;
  std::size_t depth = 0;
  for (; depth + 1 < path.size(); ++depth) {
    Json* child = member(*node, path[depth]);
    if (child == nullptr || !child->is_object()) break;
    node = child;
  }
  if (!node->is_object()) return;
  for (std::size_t missing = path.size() - 1; missing > depth; --missing) {
    Json parent = Json::object();
    parent[path[missing]] = std::move(value);
    value = std::move(parent);
  }
  const Json* existing = member(*node, path[depth]);
  if (existing != nullptr && *existing == value) return;
  record(existing == nullptr ? "add" : "replace",
         pointer_to(Path(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(depth) + 1)), &value);
  (*node)[path[depth]] = std::move(value);
}

void Patch::unset(const Path& path) {
  const Path parent_path(path.begin(), path.end() - 1);
  Json* parent = find(parent_path);
  if (parent == nullptr || member(*parent, path.back()) == nullptr) return;
  if (parent->size() == 1 && !parent_path.empty()) return unset(parent_path);
  record("remove", pointer_to(path), nullptr);
  parent->erase(path.back());
}

void Patch::append(const Path& list, Json value) {
  Json* existing = find(list);
  if (existing == nullptr || !existing->is_array()) return set(list, Json::array({std::move(value)}));
  record("add", pointer_to(list) + "/-", &value);
  existing->push_back(std::move(value));
}

void Patch::replace(const Path& list, std::size_t index, Json value) {
  Json* existing = find(list);
  if (existing == nullptr || !existing->is_array() || index >= existing->size() || (*existing)[index] == value) return;
  record("replace", pointer_to(list) + "/" + std::to_string(index), &value);
  (*existing)[index] = std::move(value);
}

void Patch::replace_member(const Path& list, std::size_t index, const std::string& key, Json value) {
  Json* existing = find(list);
  if (existing == nullptr || !existing->is_array() || index >= existing->size()) return;
  Json& element = (*existing)[index];
  if (!element.is_object()) return;
  const Json* current = member(element, key);
  if (current != nullptr && *current == value) return;
  record(current == nullptr ? "add" : "replace",
         pointer_to(list) + "/" + std::to_string(index) + "/" + escape_pointer(key), &value);
  element[key] = std::move(value);
}

void Patch::erase(const Path& list, std::size_t index) {
  Json* existing = find(list);
  if (existing == nullptr || !existing->is_array() || index >= existing->size()) return;
  if (existing->size() == 1) return unset(list);
  record("remove", pointer_to(list) + "/" + std::to_string(index), nullptr);
  existing->erase(index);
}

}  // namespace stash::inject
