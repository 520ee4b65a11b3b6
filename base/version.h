#pragma once
#include <string_view>

namespace stash {

/// Of this build, as "0.1.0": the project's, which is also the appVersion of the chart.
std::string_view version();

}  // namespace stash
