#include "sidecar/repository_places.h"

#include <fmt/format.h>

namespace stash::sidecar {

Result<std::map<std::string, std::string>> parse_places(std::string_view flag, const std::vector<std::string>& values) {
  std::map<std::string, std::string> places;
  for (const std::string& value : values) {
    const auto equals = value.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == value.size()) {
      return fail(ErrorCode::invalid, fmt::format("{}={}: expected REPOSITORY=DIRECTORY", flag, value));
    }
    const auto [place, is_new] = places.emplace(value.substr(0, equals), value.substr(equals + 1));
    if (!is_new && place->second != value.substr(equals + 1)) {
      return fail(ErrorCode::invalid, fmt::format("{}: two directories for {}: {} and {}", flag, place->first,
                                                  place->second, value.substr(equals + 1)));
    }
  }
  return places;
}

std::string secret_directory(const RepositoryPlaces& places, const std::string& repository, const std::string& usual) {
  const auto own = places.secret_directories.find(repository);
  return own == places.secret_directories.end() ? usual : own->second;
}

api::Backend backend_here(const RepositoryPlaces& places, const std::string& repository, api::Backend backend) {
  const auto mount = places.local_mounts.find(repository);
  if (backend.local && mount != places.local_mounts.end()) backend.local->mount_path = mount->second;
  return backend;
}

}  // namespace stash::sidecar
