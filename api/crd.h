#pragma once
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "api/resource.h"
#include "api/schema.h"

/// What surrounds spec and status: the envelope of an object and of its CustomResourceDefinition.
namespace stash::api {

struct PrinterColumn {
  std::string_view name, type, json_path;
  int priority = 0;  ///< above 0: only with `kubectl get -o wide`
};

struct KindFacts {
  Resource resource;
  std::string_view doc;
  std::vector<std::string_view> versions;  ///< served, all with the same schema; the resource's own is stored
  std::vector<std::string_view> short_names, categories;
  std::vector<PrinterColumn> columns;  ///< Age is added
  std::vector<schema::CelRule> rules;  ///< of the whole object
  bool status_subresource = true;      ///< else the status is written with the rest, and when the object is made
};

/// {apiVersion, kind, metadata {name, namespace, labels, annotations, ownerReferences}} without empty parts.
Json envelope(const Resource& resource, const ObjectMeta& meta);

/// Error invalid when `object` is no object or says that it is of another kind.
Result<void> check_kind(const Resource& resource, const Json& object);

/// Error invalid when a reference names a namespace other than the object's own: using an object of the same name from
/// the own namespace instead would back up the wrong thing or to the wrong place.
Result<void> check_own_namespace(const Json& object);

Json render_crd(const KindFacts& facts, const schema::Node& object);

}  // namespace stash::api
