#include "base/core_dumps.h"

#include <sys/resource.h>

namespace stash {

void forbid_core_dumps() {
  // Where dumps are piped into a program, as systemd has it, Linux takes a limit of 0 for none at all, and only one of
  // 1 for a refusal (fs/coredump.c). For a file it is too short as well.
  const rlimit none{.rlim_cur = 1, .rlim_max = 1};
  ::setrlimit(RLIMIT_CORE, &none);
}

}  // namespace stash
