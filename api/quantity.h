#pragma once
#include <optional>
#include <string_view>

namespace stash::api {

/// The value of a Kubernetes quantity ("100m", "1.5Gi", "2e3"); nullopt when the text is none.
/// https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
std::optional<long double> parse_quantity(std::string_view text);

/// The API server rewrites quantities ("1000m" comes back as "1"), so texts are compared by value.
bool same_quantity(std::string_view left, std::string_view right);

}  // namespace stash::api
