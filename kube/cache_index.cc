#include "kube/cache_index.h"

namespace stash::kube {
namespace {

constexpr char kEnd = '\0';

std::string beginning(std::string_view ns, std::string_view key) {
  std::string text(key);
  text += kEnd;
  if (!ns.empty()) (text += ns) += kEnd;
  return text;
}

std::string entry_of(const api::ObjectRef& ref, const std::string& key) {
  std::string text = key;
  (text += kEnd) += ref.ns;
  (text += kEnd) += ref.name;
  text.shrink_to_fit();
  return text;
}

}  // namespace

void CacheIndex::add(const api::ObjectRef& ref, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) entries_.insert(entry_of(ref, key));
}

void CacheIndex::remove(const api::ObjectRef& ref, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) entries_.erase(entry_of(ref, key));
}

std::vector<api::ObjectRef> CacheIndex::find(std::string_view ns, std::string_view key) const {
  std::vector<api::ObjectRef> found;
  const std::string wanted = beginning(ns, key);
  for (auto entry = entries_.lower_bound(wanted); entry != entries_.end() && entry->starts_with(wanted); ++entry) {
    const std::string_view rest = std::string_view(*entry).substr(key.size() + 1);
    const std::size_t end = rest.find(kEnd);
    found.push_back({std::string(rest.substr(0, end)), std::string(rest.substr(end + 1))});
  }
  return found;
}

}  // namespace stash::kube
