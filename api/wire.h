#pragma once
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "api/fields.h"
#include "base/time.h"

/// fields() table -> reading and writing. Reading never fails: schema::check has passed before. What a table cannot say
/// goes in two optional functions beside it, after_reading(T&, const Json&) and after_writing(Json&, const T&).
namespace stash::api {

template <class T, class Wire = T>
struct Coded {
  static constexpr bool kEmptyAsWritten = true;  ///< nothing but writing it tells
  static void read(T& out, const Json& json);
  static Json write(const T& value);
  static bool is_empty(const T& value) { return write(value).empty(); }
};

template <>
struct Coded<std::string> {
  static void read(std::string& out, const Json& json) {
    if (json.is_string()) out = json.get_ref<const std::string&>();
  }
  static Json write(const std::string& value) { return value; }
  static bool is_empty(const std::string& value) { return value.empty(); }
};

template <>
struct Coded<bool> {
  static void read(bool& out, const Json& json) { out = json == true; }
  static Json write(bool value) { return value; }
  static bool is_empty(bool value) { return !value; }
};

template <class Integer>
struct CodedInteger {
  static void read(Integer& out, const Json& json) {
    if (json.is_number()) out = static_cast<Integer>(json.get<std::int64_t>());
  }
  static Json write(Integer value) { return value; }
  static bool is_empty(Integer value) { return value == 0; }
};
template <>
struct Coded<int> : CodedInteger<int> {};
template <>
struct Coded<std::int64_t> : CodedInteger<std::int64_t> {};

template <>
struct Coded<TimePoint> {
  static void read(TimePoint& out, const Json& json) {
    if (!json.is_string()) return;
    if (const auto time = parse_time(json.get_ref<const std::string&>())) out = *time;
  }
  static Json write(TimePoint value) { return format_time(value); }
  static bool is_empty(TimePoint value) { return value == TimePoint{}; }
};

template <>
struct Coded<std::string, Quantity> : Coded<std::string> {
  static void read(std::string& out, const Json& json) {
    out = json.is_string() ? json.get_ref<const std::string&>() : dump_json(json);
  }
};

template <>
struct Coded<std::int64_t, Generation> : Coded<std::int64_t> {
  static void read(std::int64_t& out, const Json& json) {
    if (json.is_number()) return Coded<std::int64_t>::read(out, json);
    if (!json.is_string()) return;
    const auto& text = json.get_ref<const std::string&>();
    std::from_chars(text.data(), text.data() + text.size(), out);
  }
};

/// Embedded objects stay raw, whatever table describes their keys.
template <class Wire>
struct Coded<Json, Wire> {
  static void read(Json& out, const Json& json) { out = json; }
  static Json write(const Json& value) { return value; }
  static bool is_empty(const Json& value) { return value.empty(); }
};

template <class T, class Wire>
struct Coded<std::optional<T>, Wire> {
  static void read(std::optional<T>& out, const Json& json) { Coded<T, Wire>::read(out.emplace(), json); }
  static Json write(const std::optional<T>& value) { return Coded<T, Wire>::write(*value); }
  static bool is_empty(const std::optional<T>& value) { return !value; }
};
template <class T>
struct Coded<std::optional<T>> : Coded<std::optional<T>, T> {};

template <class T>
struct Coded<std::vector<T>> {
  static void read(std::vector<T>& out, const Json& json) {
    out.clear();
    for (const Json& item : json) Coded<T>::read(out.emplace_back(), item);
  }
  static Json write(const std::vector<T>& values) {
    Json list = Json::array();
    for (const T& value : values) list.push_back(Coded<T>::write(value));
    return list;
  }
  static bool is_empty(const std::vector<T>& values) { return values.empty(); }
};

namespace detail {

template <class Owner, class Member, class Wire>
void read_field(Owner& owner, const Json& json, const Field<Owner, Member, Wire>& field) {
  Member& member = owner.*field.member;
  for (const std::string_view path : {field.options.newer, field.path, field.options.older}) {
    if (path.empty()) continue;
    const Json* value = schema::find(json, path);
    if (value == nullptr) continue;
    Coded<Member, Wire>::read(member, *value);
    const bool last = path == field.options.older || (path == field.path && field.options.older.empty());
    if (last || !Coded<Member, Wire>::is_empty(member)) return;
  }
}

template <class Owner, class Member, class Wire>
void write_field(Json& json, const Owner& owner, const Field<Owner, Member, Wire>& field) {
  using Code = Coded<Member, Wire>;
  const Member& member = owner.*field.member;
  constexpr bool kByWriting = requires { Code::kEmptyAsWritten; };
  if constexpr (!kByWriting) {
    if (!field.options.always && Code::is_empty(member)) return;
  }
  Json value = Code::write(member);
  if constexpr (kByWriting) {
    if (!field.options.always && value.empty()) return;
  }
  if (field.options.write_older) schema::put(json, field.options.older, value);
  schema::put(json, field.path, std::move(value));
}

template <class Owner>
void read_field(Owner& owner, const Json& json, const Inline<Owner>& field) {
  Json& member = owner.*field.member;
  for (const std::string_view name : field.names) {
    if (const Json* value = schema::find(json, name)) member[std::string(name)] = *value;
  }
}

template <class Owner>
void write_field(Json& json, const Owner& owner, const Inline<Owner>& field) {
  for (const auto& [name, value] : (owner.*field.member).items()) json[name] = value;
}

template <class Owner, class Wire>
void read_field(Owner& /*owner*/, const Json& /*json*/, const Accepts<Wire>& /*field*/) {}
template <class Owner, class Wire>
void write_field(Json& /*json*/, const Owner& /*owner*/, const Accepts<Wire>& /*field*/) {}
template <class Owner>
void read_field(Owner& /*owner*/, const Json& /*json*/, const Group& /*group*/) {}
template <class Owner>
void write_field(Json& /*json*/, const Owner& /*owner*/, const Group& /*group*/) {}

}  // namespace detail

template <class T, class Wire>
void Coded<T, Wire>::read(T& out, const Json& json) {
  std::apply([&](const auto&... entry) { (detail::read_field(out, json, entry), ...); }, fields(Of<Wire>{}));
  if constexpr (requires { after_reading(out, json); }) after_reading(out, json);
}

template <class T, class Wire>
Json Coded<T, Wire>::write(const T& value) {
  Json json = Json::object();
  std::apply([&](const auto&... entry) { (detail::write_field(json, value, entry), ...); }, fields(Of<Wire>{}));
  if constexpr (requires { after_writing(json, value); }) after_writing(json, value);
  return json;
}

}  // namespace stash::api
