#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace stash::inject {

/// What is added to a workload. It is shared: much of it is the same for every review of one, some for all workloads.
struct Value {
  Json json;
  std::string text = {};  ///< the same as dump_json writes it, where that was done before; else ""
};

/// One edit of a workload, as RFC 6902 writes it down.
struct Operation {
  std::string_view op;  ///< a literal: "add", "replace" or "remove"
  std::string path;     ///< a JSON pointer
  std::shared_ptr<const Value> value = nullptr;

  friend bool operator==(const Operation& left, const Operation& right);
};
using Operations = std::vector<Operation>;

/// The JSON Patch, as the document and as its text.
Json document(const Operations& operations);
std::string text_of(const Operations& operations);

}  // namespace stash::inject
