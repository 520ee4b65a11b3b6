#include "webhook/caches.h"

#include <catch2/catch.hpp>
#include <thread>

#include "unit/support/api_script.h"
#include "unit/support/fake_clock.h"

using namespace stash;
using namespace stash::webhook;

TEST_CASE("who has not heard of the API server for four minutes is not synced, for others may know more",
          "[webhook][caches][F16][I2]") {
  ApiScript script;
  for (const std::string path :
       {"/api/v1/namespaces", "/apis/stash.appscode.com/v1alpha1/repositories",
        "/apis/stash.appscode.com/v1beta1/backupconfigurations", "/apis/stash.appscode.com/v1beta1/restoresessions"}) {
    script.on("GET", path, "watch=true").stream({}).then_hang();
    script.on("GET", path).reply(list_of({}, "100"));
  }
  FakeClock clock;
  Index index;
  Caches caches(script.config(), index, clock);
  CHECK_FALSE(caches.synced());
  caches.start();
  CHECK(script.wait_until_done());
  for (int i = 0; i < 1000 && !caches.synced(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(caches.synced());
  clock.advance(std::chrono::seconds(239));
  CHECK(caches.synced());
  clock.advance(std::chrono::seconds(1));
  CHECK_FALSE(caches.synced());
}
