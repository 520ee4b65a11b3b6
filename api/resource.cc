#include "api/resource.h"

namespace stash::api {

std::string Resource::api_version() const {
  return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

std::string to_string(const ObjectRef& ref) { return ref.ns.empty() ? ref.name : ref.ns + "/" + ref.name; }

ObjectRef object_ref(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return {"", std::string(text)};
  return {std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

}  // namespace stash::api
