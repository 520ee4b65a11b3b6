// Any workload and any objects of its namespace, in the form of unit/inject/golden/*.in.json, which are the corpus.
#include "unit/fuzz/fuzz.h"
#include "unit/inject/scene.h"

using namespace stash;

namespace {

test::Scene scene_of(const Json& in) {
  test::Scene scene;
  scene.no_repository();
  for (const auto& [key, value] : object_at(in, {"namespaceLabels"}).items()) {
    if (value.is_string()) scene.namespace_label(key, value.get<std::string>());
  }
  for (const Json& object : array_at(in, {"objects"})) {
    const std::string kind = string_at(object, {"kind"});
    if (auto found = api::decode<api::BackupConfiguration>(object); found && kind == "BackupConfiguration") {
      scene.backup(std::move(*found));
    }
    if (auto found = api::decode<api::RestoreSession>(object); found && kind == "RestoreSession") {
      scene.restore(std::move(*found));
    }
    if (auto found = api::decode<api::Repository>(object); found && kind == "Repository") {
      scene.repository(std::move(*found));
    }
  }
  return scene;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto in = parse_json(fuzz::text_of(data, size));
  if (!in || at(*in, {"workload"}) == nullptr) return 0;
  const Json& workload = *at(*in, {"workload"});
  const test::Scene scene = scene_of(*in);
  const auto injection = scene.inject(workload, at(*in, {"before"}));
  const Json injected = workload.patch(document(injection.patch));  // throws when it does not apply
  MUST(scene.inject(injected, at(*in, {"before"})).patch.empty(), text_of(injection.patch));
  MUST(injection.has_sidecar == inject::has_sidecar(injected), dump_json(injected));
  MUST(injection.has_init_container == inject::has_init_container(injected), dump_json(injected));
  return 0;
}
