#include "webhook/recent_configurations.h"

#include <barrier>
#include <catch2/catch.hpp>
#include <thread>

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

/// Is what it gives now the very one that it gave before?
bool is_kept(RecentConfigurations& recent, const std::shared_ptr<const StoredConfiguration>& stored,
             const inject::SharedConfiguration& before) {
  return &*recent.decoded(stored).value() == &*before;
}

}  // namespace

TEST_CASE("a BackupConfiguration that is asked for again is decoded once, and a changed one anew", "[webhook][index]") {
  RecentConfigurations recent;
  const auto before = stored("1 * * * *");
  const auto after = stored("2 * * * *");
  const auto decoded = recent.decoded(before).value();
  CHECK(decoded->spec.schedule == "1 * * * *");
  CHECK(recent.decoded(after).value()->spec.schedule == "2 * * * *");
  CHECK(is_kept(recent, before, decoded));
}

TEST_CASE("of all BackupConfigurations only those that were asked for last are kept decoded", "[webhook][index]") {
  RecentConfigurations recent;
  const auto often = stored("1 * * * *"), once = stored("2 * * * *");
  const auto used_often = recent.decoded(often).value(), used_once = recent.decoded(once).value();
  for (std::size_t i = 0; i < RecentConfigurations::kMost; ++i) {
    recent.decoded(stored("3 * * * *")).value();
    recent.decoded(often).value();
  }
  CHECK(is_kept(recent, often, used_often));
  CHECK_FALSE(is_kept(recent, once, used_once));
}

TEST_CASE("a BackupConfiguration that is very large is not kept decoded", "[webhook][index][F24][I17]") {
  RecentConfigurations recent;
  Json object = a_backup_configuration().json();
  object["metadata"]["annotations"]["note"] = std::string(100'000, 'x');
  const auto large = std::make_shared<const StoredConfiguration>(StoredConfiguration::of(object).value());
  const auto small = stored("1 * * * *");
  const auto is_large = recent.decoded(large).value(), is_small = recent.decoded(small).value();
  CHECK_FALSE(is_kept(recent, large, is_large));
  CHECK(is_kept(recent, small, is_small));
}

TEST_CASE("threads that ask for the same one at once keep it once", "[webhook][index]") {
  RecentConfigurations recent;
  const auto asked = stored("1 * * * *");
  std::barrier together(4);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      together.arrive_and_wait();
      recent.decoded(asked).value();
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto first = stored("2 * * * *");
  const auto kept = recent.decoded(first).value();
  for (std::size_t i = 2; i < RecentConfigurations::kMost; ++i) recent.decoded(stored("3 * * * *")).value();
  CHECK(is_kept(recent, first, kept));
}
