#pragma once
#include <span>
#include <string_view>
#include <tuple>

#include "api/schema.h"

/// The vocabulary of the fields() tables: `constexpr auto fields(Of<T>)` returns a tuple of the four kinds of entries
/// below, and everything about T's JSON is read from it. Paths are names joined by dots ("repository.name").
namespace stash::api {

template <class T>
struct Of {};

struct Options {
  std::string_view newer{};  ///< another path that is read instead when it is not empty
  std::string_view older{};  ///< another path that is read when this one is empty
  bool write_older = false;  ///< write the value to `older` too
  bool always = false;       ///< write it even when empty
  bool required = false;     ///< within its object
  bool not_yet = false;      ///< see schema::Node, as the rest
  bool false_matters = false;
  bool unique_items = false;
  std::string_view only{};
  std::string_view list_key{};
  std::size_t max_items = 0;
  std::size_t max_length = 0;  ///< of the text, or of each item of a list of texts
  std::span<const schema::CelRule> rules{};
};

/// Wire types that have no C++ type of their own.
struct AnyObject {};   ///< an embedded Kubernetes type, kept raw
struct Quantity {};    ///< in a std::string
struct Generation {};  ///< in a std::int64_t

template <class Wire>
struct As {};
template <class Wire>
constexpr As<Wire> as() {
  return {};
}

/// A member that is read and written.
template <class Owner, class Member, class Wire = Member>
struct Field {
  std::string_view path;
  Member Owner::* member;
  std::string_view doc;
  Options options{};

  constexpr Field(std::string_view path, Member Owner::* member, std::string_view doc, Options options = {})
      : path(path), member(member), doc(doc), options(options) {}
  constexpr Field(std::string_view path, Member Owner::* member, As<Wire> /*wire*/, std::string_view doc,
                  Options options = {})
      : path(path), member(member), doc(doc), options(options) {}
};
template <class Owner, class Member>
Field(std::string_view, Member Owner::*, std::string_view, Options = {}) -> Field<Owner, Member, Member>;
template <class Owner, class Member, class Wire>
Field(std::string_view, Member Owner::*, As<Wire>, std::string_view, Options = {}) -> Field<Owner, Member, Wire>;

/// A field of the contract without a member: in the schema, neither read nor written here.
template <class Wire>
struct Accepts {
  std::string_view path;
  As<Wire> wire;
  std::string_view doc;
  Options options{};
};

/// The object in the middle of a path: its documentation and options.
struct Group {
  std::string_view path;
  std::string_view doc;
  Options options{};
};

/// A raw member that holds several keys of the object itself: {"hostPath": {...}} beside mountPath.
template <class Owner>
struct Inline {
  Json Owner::* member;
  std::span<const std::string_view> names;
  std::string_view doc;
};

/// Shorthand for what a later version will honour.
template <class Wire>
constexpr Accepts<Wire> later(std::string_view path, std::string_view doc, Options options = {}) {
  options.not_yet = true;
  return {path, as<Wire>(), doc, options};
}

}  // namespace stash::api
