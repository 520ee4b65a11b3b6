#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "api/resource.h"
#include "base/json.h"

namespace stash::cli {

/// The Kubernetes objects of a YAML or JSON text with any number of documents, Lists taken apart. Plain scalars are
/// read as kubectl reads them, by YAML 1.1: yes and on are true, 0644 is 420, ~ is null, << merges.
/// Errors invalid: no YAML, or a document that is no object with a kind; says which document.
Result<std::vector<Json>> read_manifests(std::string_view text);

/// Of that group and kind, in whatever version.
bool is_kind(const Json& object, const api::Resource& kind);

/// The one of that kind and name; nullptr when there is none. Objects in files often name no namespace: they are taken
/// to be in `ns`, where all that is found is.
const Json* find_object(const std::vector<Json>& objects, const api::Resource& kind, const std::string& name,
                        const std::string& ns);

/// Of one kind, namespace (`ns` where none is named) and name.
bool is_same_object(const Json& one, const Json& other, const std::string& ns);

}  // namespace stash::cli
