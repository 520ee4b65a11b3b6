#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

/// What a value may look like so that the API server takes it inside a pod. A value that it refuses would make it
/// refuse the user's workload, which we must never cause.
namespace stash::inject {

/// Says what is wrong with a cleaned value; "" when nothing is.
using Objection = std::string (*)(const Json& value);

struct Member;

struct Shape {
  enum class Type { boolean, integer, text, port, quantity, list, map, object };
  Type type;
  Objection objection = nullptr;
  std::int64_t least = std::numeric_limits<std::int64_t>::min();
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::vector<Shape> element;   ///< one, of list and map
  std::vector<Member> members;  ///< of object
};

struct Member {
  std::string_view name;
  Shape shape;
  bool zero_means_default = false;  ///< the API server writes no zero back, so we write none either
};

Shape boolean();
Shape integer(std::int64_t least, std::int64_t most);
Shape text(Objection objection = nullptr);
Shape port();      ///< a number or a name
Shape quantity();  ///< becomes a string
Shape list_of(Shape element, Objection objection = nullptr);
Shape map_of(Shape element, Objection objection = nullptr);
Shape object(std::vector<Member> members, Objection objection = nullptr);

/// The value without nulls and empty texts, which the API server drops as well. Error invalid:
/// "<where>/limits/cpu: not a quantity"; a member that the shape does not know is an error too.
Result<Json> clean(const Json& value, const Shape& shape, std::string_view where);

}  // namespace stash::inject
