#pragma once
#include <fmt/format.h>

#include <utility>

#include "api/crd.h"
#include "api/describe.h"
#include "api/wire.h"

/// The templates of codec.h. Each kind's .cc defines its tables and its facts() and instantiates them:
///   STASH_API_KIND(Repository)
namespace stash::api {

/// What the tables of one kind do not say.
template <class Kind>
const KindFacts& facts();

/// Checks of a whole object that no table can express; specialised where there are some.
template <class Kind>
Result<void> check_whole(const Json& /*object*/) {
  return {};
}

template <class Kind>
const schema::Node& kind_node() {
  static const schema::Node node = [] {
    schema::Node root;
    root.set("spec", Described<decltype(Kind::spec)>::node());
    root.set("status", Described<decltype(Kind::status)>::node());
    root.make("spec").doc = "What is wanted.";
    root.make("status").doc = "What was observed.";
    return root;
  }();
  return node;
}

template <class Kind>
Result<Kind> decode(const Json& object) {
  Kind kind;
  kind.metadata = meta_of(object);
  const auto name = [&] {
    const std::string ref = to_string(kind.metadata.ref());
    return std::string(facts<Kind>().resource.kind) + (ref.empty() ? "" : " " + ref);
  };
  TRY_VOID(with_context(check_kind(facts<Kind>().resource, object), name()));
  TRY_VOID(with_context(schema::check(kind_node<Kind>(), object), name()));
  TRY_VOID(with_context(check_whole<Kind>(object), name()));
  if (const Json* spec = schema::find(object, "spec")) Coded<decltype(Kind::spec)>::read(kind.spec, *spec);
  if (const Json* status = schema::find(object, "status")) Coded<decltype(Kind::status)>::read(kind.status, *status);
  return kind;
}

template <class Kind>
Json encode(const Kind& object) {
  Json json = envelope(facts<Kind>().resource, object.metadata);
  if (Json spec = Coded<decltype(Kind::spec)>::write(object.spec); !spec.empty()) json["spec"] = std::move(spec);
  if (Json status = Coded<decltype(Kind::status)>::write(object.status); !status.empty())
    json["status"] = std::move(status);
  return json;
}

template <class Kind>
IgnoredFields ignored_fields(const Json& object) {
  IgnoredFields ignored;
  if (const Json* spec = schema::find(object, "spec")) {
    schema::collect_ignored(*kind_node<Kind>().property("spec"), *spec, "/spec", ignored);
  }
  return ignored;
}

template <class Kind>
Json custom_resource_definition() {
  return render_crd(facts<Kind>(), kind_node<Kind>());
}

}  // namespace stash::api

#define STASH_API_KIND(Kind)                                \
  template Result<Kind> decode<Kind>(const Json&);          \
  template Json encode<Kind>(const Kind&);                  \
  template IgnoredFields ignored_fields<Kind>(const Json&); \
  template Json custom_resource_definition<Kind>();
