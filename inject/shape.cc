#include "inject/shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "api/quantity.h"

namespace stash::inject {
namespace {

std::string port_objection(const Json& value) {
  constexpr std::string_view problem = "not a port number or name";
  if (value.is_number_integer()) {
    const auto number =
        value.is_number_unsigned() && value.get<std::uint64_t>() > 65535 ? 0 : value.get<std::int64_t>();
    return number >= 1 && number <= 65535 ? "" : std::string(problem);
  }
  const std::string& name = value.get_ref<const std::string&>();
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool fits = !name.empty() && name.size() <= 15 && name.front() != '-' && name.back() != '-' &&
                    !name.contains("--") && std::ranges::any_of(name, is_letter) &&
                    std::ranges::all_of(name, [&](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
  return fits ? "" : std::string(problem);
}

bool is_of(const Json& value, Shape::Type type) {
  switch (type) {
    case Shape::Type::boolean:
      return value.is_boolean();
    case Shape::Type::integer:
      return value.is_number_integer();
    case Shape::Type::text:
      return value.is_string();
    case Shape::Type::port:
      return value.is_number_integer() || value.is_string();
    case Shape::Type::quantity:
      return value.is_number() || value.is_string();
    case Shape::Type::list:
      return value.is_array();
    case Shape::Type::map:
    case Shape::Type::object:
      return value.is_object();
  }
  return false;
}

std::string_view word_for(Shape::Type type) {
  switch (type) {
    case Shape::Type::boolean:
      return "a boolean";
    case Shape::Type::integer:
      return "an integer";
    case Shape::Type::text:
      return "a string";
    case Shape::Type::port:
      return "a port";
    case Shape::Type::quantity:
      return "a quantity";
    case Shape::Type::list:
      return "a list";
    case Shape::Type::map:
    case Shape::Type::object:
      return "an object";
  }
  return "";
}

std::string integer_objection(const Json& value, const Shape& shape) {
  constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
  const bool too_large = value.is_number_unsigned() && value.get<std::uint64_t>() > largest;
  if (too_large || value.get<std::int64_t>() < shape.least || value.get<std::int64_t>() > shape.most) {
    return fmt::format("must be from {} to {}", shape.least, shape.most);
  }
  return "";
}

bool is_empty_text(const Json& value) { return value.is_string() && value.get_ref<const std::string&>().empty(); }

bool is_zero(const Json& value) { return value == 0 || value == false; }

/// Put into words for an error alone.
class Place {
 public:
  explicit Place(std::string_view root) : step_(root) {}
  Place(const Place& parent, std::string_view key) : parent_(&parent), step_(key) {}
  Place(const Place& list, std::size_t index) : parent_(&list), step_(index) {}

  std::string text() const {
    const auto* key = std::get_if<std::string_view>(&step_);
    if (parent_ == nullptr) return std::string(*key);
    return parent_->text() + "/" +
           (key != nullptr ? escape_pointer(*key) : std::to_string(std::get<std::size_t>(step_)));
  }

 private:
  const Place* parent_ = nullptr;
  std::variant<std::string_view, std::size_t> step_;
};

Result<Json> clean(const Json& value, const Shape& shape, const Place& where);

Result<Json> clean_list(const Json& value, const Shape& shape, const Place& where) {
  Json cleaned = Json::array();
  for (std::size_t i = 0; i < value.size(); ++i) {
    TRY(Json element, clean(value[i], shape.element.front(), Place(where, i)));
    cleaned.push_back(std::move(element));
  }
  return cleaned;
}

Result<Json> clean_map(const Json& value, const Shape& shape, const Place& where) {
  Json cleaned = Json::object();
  for (const auto& [key, member] : value.items()) {
    TRY(cleaned[key], clean(member, shape.element.front(), Place(where, key)));
  }
  return cleaned;
}

Result<Json> clean_object(const Json& value, const Shape& shape, const Place& where) {
  Json cleaned = Json::object();
  for (const auto& [key, member] : value.items()) {
    if (member.is_null() || is_empty_text(member)) continue;
    const Place place(where, key);
    const auto known = std::ranges::find(shape.members, std::string_view(key), &Member::name);
    if (known == shape.members.end()) {
      return fail(ErrorCode::invalid, place.text() + ": not a field that can be put into a pod; check its spelling");
    }
    TRY(Json element, clean(member, known->shape, place));
    if (known->zero_means_default && is_zero(element)) continue;
    cleaned[key] = std::move(element);
  }
  return cleaned;
}

Result<Json> clean(const Json& value, const Shape& shape, const Place& where) {
  if (!is_of(value, shape.type)) {
    return fail(ErrorCode::invalid, fmt::format("{}: expected {}", where.text(), word_for(shape.type)));
  }
  Json cleaned;
  std::string objection;
  switch (shape.type) {
    case Shape::Type::list: {
      TRY(cleaned, clean_list(value, shape, where));
      break;
    }
    case Shape::Type::map: {
      TRY(cleaned, clean_map(value, shape, where));
      break;
    }
    case Shape::Type::object: {
      TRY(cleaned, clean_object(value, shape, where));
      break;
    }
    case Shape::Type::quantity: {
      cleaned = value.is_string() ? value : Json(dump_json(value));
      const auto amount = api::parse_quantity(cleaned.get_ref<const std::string&>());
      if (!amount) objection = "not a quantity";
      if (amount && *amount < 0) objection = "must not be negative";
      break;
    }
    case Shape::Type::integer:
      objection = integer_objection(value, shape);
      cleaned = value;
      break;
    case Shape::Type::boolean:
    case Shape::Type::text:
    case Shape::Type::port:
      cleaned = value;
      break;
  }
  if (objection.empty() && shape.objection != nullptr) objection = shape.objection(cleaned);
  if (!objection.empty()) return fail(ErrorCode::invalid, where.text() + ": " + objection);
  return cleaned;
}

}  // namespace

Shape boolean() { return {.type = Shape::Type::boolean}; }
Shape integer(std::int64_t least, std::int64_t most) {
  return {.type = Shape::Type::integer, .least = least, .most = most};
}
Shape text(Objection objection) { return {.type = Shape::Type::text, .objection = objection}; }
Shape port() { return {.type = Shape::Type::port, .objection = port_objection}; }
Shape quantity() { return {.type = Shape::Type::quantity}; }
Shape list_of(Shape element, Objection objection) {
  return {.type = Shape::Type::list, .objection = objection, .element = {std::move(element)}};
}
Shape map_of(Shape element, Objection objection) {
  return {.type = Shape::Type::map, .objection = objection, .element = {std::move(element)}};
}
Shape object(std::vector<Member> members, Objection objection) {
  return {.type = Shape::Type::object, .objection = objection, .members = std::move(members)};
}

Result<Json> clean(const Json& value, const Shape& shape, std::string_view where) {
  return clean(value, shape, Place(where));
}

}  // namespace stash::inject
