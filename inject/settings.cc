#include "inject/settings.h"

#include <algorithm>

#include "api/names.h"

namespace stash::inject {

bool namespace_wants_injection(const Settings& settings, const std::string& ns, const Json& namespace_labels) {
  if (std::ranges::find(settings.excluded_namespaces, ns) != settings.excluded_namespaces.end()) return false;
  const std::string label = string_at(namespace_labels, {api::names::kInjectionLabel});
  return settings.opt_in ? label == "enabled" : label != "disabled";
}

}  // namespace stash::inject
