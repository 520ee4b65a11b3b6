#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace stash::cli {

/// The Kubernetes objects of a YAML or JSON text with any number of documents, Lists taken apart. Plain scalars are
/// read as kubectl reads them, by YAML 1.1: yes and on are true, 0644 is 420, ~ is null.
/// Errors invalid: no YAML, or a document that is no object with a kind; says which document.
Result<std::vector<Json>> read_manifests(std::string_view text);

}  // namespace stash::cli
