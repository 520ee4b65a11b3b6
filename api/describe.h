#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/fields.h"
#include "base/time.h"

/// fields() table -> schema::Node.
namespace stash::api {

template <class T>
struct Described {
  static schema::Node node();
};

template <schema::Type type>
struct DescribedAs {
  static schema::Node node() { return {.type = type}; }
};
template <>
struct Described<std::string> : DescribedAs<schema::Type::text> {};
template <>
struct Described<bool> : DescribedAs<schema::Type::boolean> {};
template <>
struct Described<TimePoint> : DescribedAs<schema::Type::time> {};
template <>
struct Described<Quantity> : DescribedAs<schema::Type::quantity> {};
template <>
struct Described<Generation> : DescribedAs<schema::Type::generation> {};
template <>
struct Described<std::int64_t> : DescribedAs<schema::Type::integer> {};
template <>
struct Described<int> {
  static schema::Node node() {
    return {.type = schema::Type::integer,
            .minimum = std::numeric_limits<int>::min(),
            .maximum = std::numeric_limits<int>::max()};
  }
};
template <>
struct Described<AnyObject> {
  static schema::Node node() { return {.open = true}; }
};
template <class T>
struct Described<std::optional<T>> : Described<T> {};
template <class T>
struct Described<std::vector<T>> {
  static schema::Node node() {
    schema::Node list{.type = schema::Type::list};
    list.items.push_back(Described<T>::node());
    return list;
  }
};

namespace detail {

inline void apply_options(schema::Node& node, std::string_view doc, const Options& options) {
  node.doc = doc;
  node.not_yet = options.not_yet;
  node.false_matters = options.false_matters;
  node.unique_items = options.unique_items;
  node.only = options.only;
  node.list_key = options.list_key;
  node.max_items = options.max_items;
  (node.type == schema::Type::list ? node.items.front() : node).max_length = options.max_length;
  node.rules.insert(node.rules.end(), options.rules.begin(), options.rules.end());
}

inline void place(schema::Node& object, std::string_view path, schema::Node node, std::string_view doc,
                  const Options& options) {
  apply_options(node, doc, options);
  // A Group may come before or after the fields inside it.
  for (auto& property : object.make(path).properties) node.properties.push_back(std::move(property));
  object.set(path, std::move(node));
  if (options.required) object.required.emplace_back(path);
}

inline void place_aliases(schema::Node& object, const schema::Node& node, std::string_view path,
                          const Options& options) {
  if (!options.older.empty()) {
    place(object, options.older, node, "Older name of " + std::string(path) + ".", {});
    object.make(options.older).yields_to = path;
  }
  if (!options.newer.empty()) {
    place(object, options.newer, node, "Used instead of " + std::string(path) + " when not empty.", options);
    object.make(path).yields_to = options.newer;
  }
}

template <class Owner, class Member, class Wire>
void describe(schema::Node& object, const Field<Owner, Member, Wire>& field) {
  schema::Node node = Described<Wire>::node();
  place(object, field.path, node, field.doc, field.options);
  place_aliases(object, node, field.path, field.options);
}

template <class Wire>
void describe(schema::Node& object, const Accepts<Wire>& field) {
  place(object, field.path, Described<Wire>::node(), field.doc, field.options);
}

inline void describe(schema::Node& object, const Group& group) {
  place(object, group.path, schema::Node{}, group.doc, group.options);
}

template <class Owner>
void describe(schema::Node& object, const Inline<Owner>& field) {
  for (const std::string_view name : field.names) place(object, name, Described<AnyObject>::node(), field.doc, {});
}

}  // namespace detail

template <class T>
schema::Node Described<T>::node() {
  schema::Node object;
  std::apply([&object](const auto&... entry) { (detail::describe(object, entry), ...); }, fields(Of<T>{}));
  if constexpr (requires { rules(Of<T>{}); }) {
    for (const schema::CelRule& rule : rules(Of<T>{})) object.rules.push_back(rule);
  }
  return object;
}

}  // namespace stash::api
