#include "cli/doctor_world.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/lists.h"
#include "cli/object.h"

namespace stash::cli {

const Json& list_of(const DoctorWorld& world, const std::string& kind) { return list_of(world.lists, kind); }

bool readable(const DoctorWorld& world, std::string_view area, std::initializer_list<const char*> kinds,
              Checks& checks) {
  bool all = true;
  for (const char* kind : kinds) {
    const auto found = world.unreadable.find(kind);
    if (found == world.unreadable.end()) continue;
    all = false;
    checks.push_back({Check::Level::warning, std::string(area),
                      fmt::format("{} cannot be read: {}", kind, found->second),
                      "run doctor with an account that may list them"});
  }
  return all;
}

void well(Checks& checks, std::string_view area, std::string message) {
  checks.push_back({Check::Level::ok, std::string(area), std::move(message), ""});
}
void wrong(Checks& checks, Check::Check::Level level, std::string_view area, std::string message, std::string remedy) {
  checks.push_back({level, std::string(area), std::move(message), std::move(remedy)});
}

const Json* find_named(const Json& list, std::string_view name, std::string_view ns) {
  const auto found = std::ranges::find_if(
      list, [&](const Json& object) { return name_of(object) == name && (ns.empty() || ns_of(object) == ns); });
  return found == list.end() ? nullptr : &*found;
}

}  // namespace stash::cli
