#include "webhook/recent_configurations.h"

#include <catch2/catch.hpp>

#include "unit/support/objects.h"

using namespace stash;
using namespace stash::test;
using webhook::RecentConfigurations;
using webhook::StoredConfiguration;

namespace {

std::shared_ptr<const StoredConfiguration> stored(const std::string& schedule) {
  return std::make_shared<const StoredConfiguration>(
      StoredConfiguration::of(a_backup_configuration().schedule(schedule).json()).value());
}

}  // namespace

TEST_CASE("a BackupConfiguration that is asked for again is decoded once, and a changed one anew", "[webhook][index]") {
  RecentConfigurations recent;
  const auto before = stored("1 * * * *");
  const auto after = stored("2 * * * *");
  const auto decoded = recent.decoded(before).value();
  CHECK(decoded->spec.schedule == "1 * * * *");
  CHECK(recent.decoded(after).value()->spec.schedule == "2 * * * *");
  CHECK(recent.decoded(before).value() == decoded);
}

TEST_CASE("of all BackupConfigurations only those that were asked for last are kept decoded", "[webhook][index]") {
  RecentConfigurations recent;
  const auto often = stored("1 * * * *"), once = stored("2 * * * *");
  const std::weak_ptr used_often = recent.decoded(often).value(), used_once = recent.decoded(once).value();
  for (std::size_t i = 0; i < RecentConfigurations::kMost; ++i) {
    recent.decoded(stored("3 * * * *")).value();
    recent.decoded(often).value();
  }
  CHECK_FALSE(used_often.expired());
  CHECK(used_once.expired());
}
