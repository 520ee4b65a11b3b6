#include "inject/shared_configuration.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <thread>

#include "inject/containers.h"
#include "unit/support/objects.h"

using namespace stash;
using namespace stash::test;
using inject::ContainerInputs;
using inject::SharedConfiguration;

namespace {

ContainerInputs some_inputs(const SharedConfiguration& configuration) {
  ContainerInputs inputs{.objects = {"app-backup"}, .image = "stash:1"};
  inputs.runtime = configuration.wishes()->settings;
  inputs.tmp_volume = "tmp-dir";
  inputs.podinfo_volume = "stash-podinfo";
  inputs.mounts = {{"data", "/data", ""}};
  inputs.repositories = {{.repository = "repo", .storage_secret = "secret", .secret_volume = "stash-secret-volume"}};
  return inputs;
}

}  // namespace

TEST_CASE("a sidecar of the same inputs is made once", "[inject][containers]") {
  const SharedConfiguration configuration = api::BackupConfiguration(a_backup_configuration());
  const auto first = configuration.sidecar(some_inputs(configuration));
  const SharedConfiguration copy = configuration;
  CHECK(copy.sidecar(some_inputs(copy)) == first);
  CHECK(first->complete.text == dump_json(first->complete.json));
}

TEST_CASE("a sidecar of any other input is another one", "[inject][containers]") {
  const SharedConfiguration configuration = api::BackupConfiguration(a_backup_configuration());
  const SharedConfiguration other = api::BackupConfiguration(a_backup_configuration().with(
      [](auto& c) { c.spec.runtime_settings.container = {{"env", {{{"name", "A"}, {"value", "b"}}}}}; }));
  const std::function<void(ContainerInputs&)> changes[] = {
      [](auto& inputs) { inputs.objects.emplace_back("another"); },
      [](auto& inputs) { inputs.image = "stash:2"; },
      [](auto& inputs) { inputs.resources = {{"limits", {{"cpu", "1"}}}}; },
      [](auto& inputs) { inputs.pushgateway_url = "http://stash-operator:56789"; },
      [](auto& inputs) { inputs.identity.user = 1000; },
      [](auto& inputs) { inputs.identity.group = 1000; },
      [](auto& inputs) { inputs.identity.powers = inject::Identity::Powers::read_all; },
      [&](auto& inputs) { inputs.runtime = other.wishes()->settings; },
      [](auto& inputs) { inputs.temp_dir.disable_caching = true; },
      [](auto& inputs) { inputs.tmp_volume = "stash-tmp-dir"; },
      [](auto& inputs) { inputs.podinfo_volume = "podinfo"; },
      [](auto& inputs) { inputs.mounts[0].sub_path = "sub"; },
      [](auto& inputs) { inputs.repositories[0].secret_path = "/elsewhere"; },
      [](auto& inputs) { inputs.repositories[0].moved = true; },
  };
  for (const auto& change : changes) {
    const auto before = configuration.sidecar(some_inputs(configuration));
    ContainerInputs inputs = some_inputs(configuration);
    change(inputs);
    const auto made = configuration.sidecar(inputs);
    CHECK(made != before);
    CHECK(made->complete.text != before->complete.text);
  }
}

TEST_CASE("the volumes of a Repository are made once, and anew when it has changed", "[inject][containers]") {
  const SharedConfiguration configuration = api::BackupConfiguration(a_backup_configuration());
  const auto before = a_repository().shared();
  const auto volumes = configuration.volumes(before);
  CHECK(configuration.volumes(before) == volumes);
  const auto after = a_repository().with([](auto& r) { r.spec.backend.storage_secret_name = "other"; }).shared();
  CHECK(configuration.volumes(after)->secret.json == Json{{"secret", {{"secretName", "other"}, {"optional", true}}}});
}

TEST_CASE("what somebody writes into his objects is not kept when it is large", "[inject][containers][F24][I17]") {
  const SharedConfiguration configuration = api::BackupConfiguration(a_backup_configuration());
  ContainerInputs large = some_inputs(configuration);
  large.mounts[0].sub_path = std::string(100'000, 'x');
  const std::weak_ptr<const inject::MadeContainer> made = configuration.sidecar(large);
  CHECK(made.expired());
  auto repository = a_repository().volume({{"hostPath", {{"path", "/" + std::string(100'000, 'x')}}}}).shared();
  const std::weak_ptr<const inject::RepositoryVolumes> volumes = configuration.volumes(repository);
  CHECK(volumes.expired());
  const auto usual = configuration.volumes(a_repository().shared());
  CHECK(usual.use_count() == 2);
}

TEST_CASE("a Repository that is gone is not kept", "[inject][containers]") {
  const SharedConfiguration configuration = api::BackupConfiguration(a_backup_configuration());
  auto repository = a_repository().shared();
  configuration.volumes(repository);
  CHECK(repository.use_count() == 1);
}

TEST_CASE("threads that ask for different sidecars each get their own", "[inject][containers]") {
  const SharedConfiguration configuration = api::BackupConfiguration(a_backup_configuration());
  const auto repository = a_repository().shared();
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int user = 0; user < 4; ++user) {
    threads.emplace_back([&, user] {
      for (int i = 0; i < 200; ++i) {
        ContainerInputs inputs = some_inputs(configuration);
        inputs.identity.user = user;
        const auto made = configuration.sidecar(std::move(inputs));
        const bool right = int_at(made->asked, {"securityContext", "runAsUser"}, -1) == user &&
                           configuration.volumes(repository) != nullptr;
        wrong += right ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}
