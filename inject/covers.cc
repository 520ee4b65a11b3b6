#include "inject/covers.h"

#include <algorithm>

#include "api/quantity.h"

namespace stash::inject {
namespace {

bool covers_member(const Json& live, const Json& wanted, std::string_view key, bool quantities);

bool has_entry(const Json& live, const Json& wanted, std::string_view identity) {
  return std::ranges::any_of(live, [&](const Json& entry) {
    return text_at(entry, {identity}) == text_at(wanted, {identity}) && covers(entry, wanted);
  });
}

bool covers_list(const Json& live, const Json& wanted, std::string_view key) {
  if (!live.is_array()) return false;
  const std::string_view identity = key == "env" ? "name" : key == "volumeMounts" ? "mountPath" : "";
  if (!identity.empty()) {
    return std::ranges::all_of(wanted, [&](const Json& entry) { return has_entry(live, entry, identity); });
  }
  return std::ranges::equal(live, wanted, [](const Json& l, const Json& w) { return covers(l, w); });
}

bool covers_object(const Json& live, const Json& wanted, std::string_view key) {
  if (!live.is_object()) return false;
  const bool quantities = key == "limits" || key == "requests";
  return std::ranges::all_of(wanted.items(), [&](const auto& member) {
    const auto found = live.find(member.key());
    return found != live.end() && covers_member(*found, member.value(), member.key(), quantities);
  });
}

bool covers_member(const Json& live, const Json& wanted, std::string_view key, bool quantities) {
  if (wanted.is_object()) return covers_object(live, wanted, key);
  if (wanted.is_array()) return covers_list(live, wanted, key);
  if (live == wanted) return true;
  const bool is_quantity = quantities || key == "sizeLimit" || key == "divisor";
  return is_quantity && live.is_string() && wanted.is_string() &&
         api::same_quantity(live.get_ref<const std::string&>(), wanted.get_ref<const std::string&>());
}

}  // namespace

bool covers(const Json& live, const Json& wanted) { return covers_member(live, wanted, "", false); }

}  // namespace stash::inject
