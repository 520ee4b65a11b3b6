#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "api/shared_types.h"

/// Of the container's paths only those in a volume are the application's; all others are of our own image.
namespace stash::sidecar {

/// Where spec.target.volumeMounts are, cleaned.
std::vector<std::string> mounted_paths(const std::vector<api::VolumeMount>& mounts);

/// At or below one of them? All cleaned.
bool is_mounted(std::string_view path, const std::vector<std::string>& mounted);

}  // namespace stash::sidecar
