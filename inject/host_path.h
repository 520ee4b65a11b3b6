#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

/// Directories of the node as repositories: a pod that mounts one is what keeps tenants apart from nodes, so the
/// administrator names those that may be used.
namespace stash::inject {

/// "/", "/data/backups": absolute and without "..", so that it can be compared with others.
bool is_comparable(std::string_view path);

/// Is this path one of the allowed ones or below one? Compared component by component, so "/data" allows "/data/x" and
/// not "/database". "/" allows every path. False for a path that is not comparable. What is a symbolic link on the node
/// cannot be seen from here.
bool is_allowed_host_path(std::string_view path, const std::vector<std::string>& allowed);

/// What is wrong with the hostPath of a local backend, as a sentence with the remedy; "" for none, and for any other
/// volume. The same whether the directory exists or not.
std::string host_path_objection(const Json& local, const std::vector<std::string>& allowed);

}  // namespace stash::inject
