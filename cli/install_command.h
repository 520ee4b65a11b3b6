#pragma once
#include <string>

namespace stash::cli {

/// What installs the chart of this release. No image is published, and the chart's default is one that no node can
/// pull: REGISTRY is where the user has put it (docs/quick-start.md).
std::string install_command();

/// The same as a remedy, in a sentence.
std::string how_to_install();

}  // namespace stash::cli
