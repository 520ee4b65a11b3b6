#include "cli/install_command.h"

#include <fmt/format.h>

#include "base/version.h"

namespace stash::cli {

std::string install_command() {
  return fmt::format(
      "helm install stash charts/stash -n stash --create-namespace --set image.repository=REGISTRY/stash --set "
      "image.tag={}",
      version());
}

std::string how_to_install() { return "install the chart, as docs/quick-start.md says: " + install_command(); }

}  // namespace stash::cli
