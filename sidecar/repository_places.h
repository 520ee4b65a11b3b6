#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/repository.h"
#include "base/result.h"

/// Where Repositories lie in this container. One that serves several has a Secret, and perhaps a volume, of each.
namespace stash::sidecar {

struct RepositoryPlaces {
  /// By Repository: where its storage Secret is mounted. Others: ResticSettings::secret_directory.
  std::map<std::string, std::string> secret_directories;
  /// By Repository with a local backend: where its volume is mounted. Others: backend.local.mountPath.
  std::map<std::string, std::string> local_mounts;
  friend bool operator==(const RepositoryPlaces&, const RepositoryPlaces&) = default;
};

/// Values of a repeated flag, "REPOSITORY=DIRECTORY" each. Error invalid: names the flag.
Result<std::map<std::string, std::string>> parse_places(std::string_view flag, const std::vector<std::string>& values);

std::string secret_directory(const RepositoryPlaces& places, const std::string& repository, const std::string& usual);

/// `backend` as this container sees it: with another mountPath when its volume is mounted elsewhere.
api::Backend backend_here(const RepositoryPlaces& places, const std::string& repository, api::Backend backend);

}  // namespace stash::sidecar
