#include "base/version.h"

namespace stash {

std::string_view version() { return STASH_VERSION; }

}  // namespace stash
