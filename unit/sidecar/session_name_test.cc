#include "sidecar/session_name.h"

#include <catch2/catch.hpp>

namespace stash::sidecar {
namespace {

const TimePoint kNow = parse_time("2026-11-23T10:00:42.5Z").value();

TEST_CASE("a CronJob's Job tells its slot, so that a retry names the same session",
          "[sidecar][session_name][F54][I7]") {
  CHECK(slot_of("stash-backup-app-29923795", kNow) == parse_time("2026-11-23T09:55:00Z").value());
  CHECK(session_name("app", slot_of("stash-backup-app-29923795", kNow)) == "app-1795427700");
}

TEST_CASE("a Job made by hand has the slot of now", "[sidecar][session_name]") {
  for (const char* name : {"", "manual", "manual-2", "app-x1", "app-99999999999", "app--5", "a-29923795x"}) {
    CHECK(slot_of(name, kNow) == kNow);
  }
  CHECK(session_name("app", kNow) == "app-1795428042");
}

TEST_CASE("names of sessions stay within 63 bytes and apart", "[sidecar][session_name][F83][I7]") {
  const std::string common(60, 'a');
  const auto one = session_name(common + "-one", kNow), two = session_name(common + "-two", kNow);
  CHECK(one.size() <= 63);
  CHECK(one != two);
  CHECK(one.ends_with("-1795428042"));
}

}  // namespace
}  // namespace stash::sidecar
