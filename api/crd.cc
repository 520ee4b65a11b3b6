#include "api/crd.h"

#include <fmt/format.h>

#include <cctype>

#include "base/text.h"

namespace stash::api {
namespace {

Json columns_of(const KindFacts& facts) {
  Json columns = Json::array();
  for (const PrinterColumn& column : facts.columns) {
    Json json{{"name", column.name}, {"type", column.type}, {"jsonPath", column.json_path}};
    if (column.priority != 0) json["priority"] = column.priority;
    columns.push_back(std::move(json));
  }
  columns.push_back({{"name", "Age"}, {"type", "date"}, {"jsonPath", ".metadata.creationTimestamp"}});
  return columns;
}

Json root_schema(const KindFacts& facts, const schema::Node& object) {
  Json root = schema::to_open_api(object);
  root["description"] = facts.doc;
  // The API server keeps apiVersion, kind and metadata itself; unknown fields beside them mean nothing to anybody.
  root.erase("x-kubernetes-preserve-unknown-fields");
  root["properties"]["apiVersion"] = {{"type", "string"}};
  root["properties"]["kind"] = {{"type", "string"}};
  root["properties"]["metadata"] = {{"type", "object"}};
  for (const schema::CelRule& rule : facts.rules) {
    root["x-kubernetes-validations"].push_back(schema::to_open_api(rule));
  }
  return root;
}

Result<void> check_namespace_at(const Json& object, std::string_view own, std::string_view path,
                                std::string_view pointer) {
  const Json* named = schema::find(object, path);
  if (named == nullptr || !named->is_string() || named->get_ref<const std::string&>().empty() || *named == own)
    return {};
  return fail(ErrorCode::invalid,
              fmt::format("{}: \"{}\" is another namespace, which is not supported; use an object in {}, or leave the "
                          "field out",
                          pointer, named->get_ref<const std::string&>(), own));
}

}  // namespace

Json envelope(const Resource& resource, const ObjectMeta& meta) {
  Json metadata{{"name", meta.name}};
  if (!meta.ns.empty()) metadata["namespace"] = meta.ns;
  if (!meta.labels.empty()) metadata["labels"] = meta.labels;
  if (!meta.annotations.empty()) metadata["annotations"] = meta.annotations;
  for (const OwnerReference& owner : meta.owners) {
    Json json{{"apiVersion", owner.api_version}, {"kind", owner.kind}, {"name", owner.name}, {"uid", owner.uid}};
    if (owner.controller) json["controller"] = true;
    metadata["ownerReferences"].push_back(std::move(json));
  }
  return {{"apiVersion", resource.api_version()}, {"kind", resource.kind}, {"metadata", std::move(metadata)}};
}

Result<void> check_kind(const Resource& resource, const Json& object) {
  if (!object.is_object()) return fail(ErrorCode::invalid, "expected an object");
  const std::string kind = string_at(object, {"kind"});
  if (kind.empty() || kind == resource.kind) return {};
  return fail(ErrorCode::invalid, fmt::format("/kind: expected {}, got {}", resource.kind, kind));
}

Result<void> check_own_namespace(const Json& object) {
  const std::string own = string_at(object, {"metadata", "namespace"});
  TRY_VOID(check_namespace_at(object, own, "spec.repository.namespace", "/spec/repository/namespace"));
  return check_namespace_at(object, own, "spec.target.ref.namespace", "/spec/target/ref/namespace");
}

Json render_crd(const KindFacts& facts, const schema::Node& object) {
  const Resource& resource = facts.resource;
  Json versions = Json::array();
  for (const std::string_view version : facts.versions) {
    Json written{{"name", version},
                 {"served", true},
                 {"storage", version == resource.version},
                 {"additionalPrinterColumns", columns_of(facts)},
                 {"schema", {{"openAPIV3Schema", root_schema(facts, object)}}}};
    if (facts.status_subresource) written["subresources"] = {{"status", Json::object()}};
    versions.push_back(std::move(written));
  }
  Json names{{"plural", resource.plural},
             {"singular", lower_case(resource.kind)},
             {"kind", resource.kind},
             {"listKind", std::string(resource.kind) + "List"},
             {"categories", facts.categories}};
  if (!facts.short_names.empty()) names["shortNames"] = facts.short_names;
  return {
      {"apiVersion", "apiextensions.k8s.io/v1"},
      {"kind", "CustomResourceDefinition"},
      {"metadata", {{"name", fmt::format("{}.{}", resource.plural, resource.group)}, {"labels", {{"app", "stash"}}}}},
      {"spec",
       {{"group", resource.group},
        {"scope", resource.namespaced ? "Namespaced" : "Cluster"},
        {"names", std::move(names)},
        {"conversion", {{"strategy", "None"}}},
        {"versions", std::move(versions)}}}};
}

}  // namespace stash::api
