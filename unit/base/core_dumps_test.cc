#include "base/core_dumps.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

using namespace stash;

TEST_CASE("a process that forbids core dumps and its children leave none, whatever the kernel would do with them",
          "[base][core_dumps][F80][I15]") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    forbid_core_dumps();
    rlimit limit{};
    ::getrlimit(RLIMIT_CORE, &limit);
    ::_exit(limit.rlim_cur == 1 && limit.rlim_max == 1 ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}
