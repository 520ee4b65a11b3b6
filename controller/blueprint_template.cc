#include "controller/blueprint_template.h"

#include <fmt/format.h>

#include "api/backend_place.h"
#include "api/codec.h"
#include "api/schedule.h"
#include "api/time_out.h"
#include "inject/backend_objection.h"
#include "inject/configuration_rules.h"

namespace stash::controller {
namespace {

constexpr std::string_view kOfRepository[] = {"backend", "wipeOut"};
constexpr std::string_view kOfConfiguration[] = {"schedule",        "task",        "retentionPolicy",
                                                 "runtimeSettings", "tempDir",     "backupHistoryLimit",
                                                 "timeOut",         "retryConfig", "interimVolumeTemplate"};

template <std::size_t kCount>
Json parts_of(const Json& spec, const std::string_view (&names)[kCount]) {
  Json parts = Json::object();
  for (const std::string_view name : names) {
    if (const auto found = spec.find(name); found != spec.end() && !found->is_null()) parts[std::string(name)] = *found;
  }
  return parts;
}

/// What neither Repository nor BackupConfiguration could do anything with.
Result<void> check(const api::BackupBlueprintSpec& spec, const inject::Settings& settings) {
  const auto wrong = [](std::string text) { return fail(ErrorCode::invalid, std::move(text)); };
  if (auto objection = inject::backend_objection(spec.backend, settings)) return wrong(std::move(objection->message));
  if (spec.backend.storage_secret_name.empty()) {
    return wrong(
        "/spec/backend/storageSecretName is missing; name a Secret with the key RESTIC_PASSWORD that is in each "
        "namespace");
  }
  if (spec.schedule.empty()) return wrong("/spec/schedule is missing; set five fields as in \"0 3 * * *\"");
  if (const auto schedule = api::parse_schedule(spec.schedule); !schedule) {
    return wrong("/spec/schedule: " + schedule.error().message);
  }
  if (!spec.time_out.empty() && !api::time_out(spec.time_out)) {
    return wrong(fmt::format("/spec/timeOut: {:?} is no duration above zero such as 30m or 2h", spec.time_out));
  }
  api::BackupConfigurationSpec configuration;
  configuration.retry_config = spec.retry_config;
  if (std::string why = inject::unusable_retry(configuration); !why.empty()) return wrong(std::move(why));
  return {};
}

}  // namespace

Result<FilledBlueprint> fill_in(const Json& blueprint, const Variables& variables, const inject::Settings& settings) {
  // As it is written first, so that a wrong type is told as such.
  if (const auto written = api::decode<api::BackupBlueprint>(blueprint); !written) {
    return std::unexpected(written.error());
  }
  Json filled = blueprint;
  TRY(filled["spec"], with_variables(object_at(blueprint, {"spec"}), variables, "/spec"));
  TRY(const api::BackupBlueprint decoded, api::decode<api::BackupBlueprint>(filled));
  TRY_VOID(check(decoded.spec, settings));
  return FilledBlueprint{parts_of(filled["spec"], kOfRepository), parts_of(filled["spec"], kOfConfiguration)};
}

std::string blueprint_remark(const Json& blueprint, const inject::Settings& settings) {
  const auto& kinds = api::workload_kinds();
  const auto place = [&](const api::WorkloadRef& workload) {
    const auto filled = fill_in(blueprint, variables_of(workload), settings);
    const auto repository = filled ? api::decode<api::Repository>({{"spec", filled->repository}})
                                   : Result<api::Repository>(std::unexpected(filled.error()));
    if (!repository) return std::string();
    // Volumes are a namespace's own, but for the nodes' directories, of which place_of() says nothing.
    const bool claim = !api::claim_name(repository->spec.backend).empty();
    return (claim ? workload.ref.ns + "/" : "") + api::place_of(repository->spec.backend);
  };
  const std::string one = place({&kinds[0], {"ns-a", "name-a"}});
  if (one.empty()) return "";
  const std::pair<const char*, api::WorkloadRef> others[] = {{"${TARGET_NAMESPACE}", {&kinds[0], {"ns-b", "name-a"}}},
                                                             {"${TARGET_KIND}", {&kinds[1], {"ns-a", "name-a"}}},
                                                             {"${TARGET_NAME}", {&kinds[0], {"ns-a", "name-b"}}}};
  std::string missing;
  for (const auto& [variable, workload] : others) {
    if (place(workload) == one) missing += (missing.empty() ? "" : ", ") + std::string(variable);
  }
  if (missing.empty()) return "";
  return fmt::format(
      "workloads that differ only in what is missing share one repository, in which their snapshots mix and are kept "
      "as "
      "if they were of one; put {} into the backend's prefix, URL or subPath",
      missing);
}

}  // namespace stash::controller
