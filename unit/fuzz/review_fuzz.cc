// Any body on the webhook's port: what is no AdmissionReview is refused with a sentence, all else is answered.
#include "unit/fuzz/fuzz.h"
#include "unit/support/objects.h"
#include "unit/support/review.h"
#include "webhook/admit.h"
#include "webhook/protect.h"
#include "webhook/warn.h"

using namespace stash;

namespace {

const inject::Settings kSettings{.image = "stash:fuzz", .opt_in = true};

/// Every workload of every namespace is backed up, and something is to be restored into it.
std::optional<inject::World> world_of(const webhook::WorkloadKey& key) {
  const api::TargetRef target{"apps/v1", key.kind, key.name};
  inject::World world;
  world.namespace_labels = {{"stash.appscode.com/injection", "enabled"}};
  world.configurations = {api::BackupConfiguration(test::a_backup_configuration().target(target))};
  world.restores = {test::a_restore_session().target(target)};
  world.repository = [](const std::string& name) { return name == "repo" ? test::a_repository().shared() : nullptr; };
  return world;
}

void check_answer(const webhook::Review& review, const webhook::Answer& answer) {
  const auto rendered = parse_json(webhook::render_answer(review, answer));
  MUST(rendered.has_value());
  MUST(string_at(*rendered, {"response", "uid"}).empty() == review.uid.empty());
  const bool ours = review.group == api::kRepositories.group;
  MUST(ours || bool_at(*rendered, {"response", "allowed"}), dump_json(*rendered));
  for (const Json& warning : array_at(*rendered, {"response", "warnings"})) MUST(warning.is_string());
}

void check_admission(const webhook::Review& review) {
  const auto answer = webhook::admit(review, kSettings, world_of);
  check_answer(review, answer);
  MUST(answer.refusal.empty());
  if (answer.patch.empty()) return;
  webhook::Review again = review;
  again.object = review.object.patch(document(answer.patch));  // throws when it does not apply
  MUST(webhook::admit(again, kSettings, world_of).patch.empty(), text_of(answer.patch));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto review = webhook::parse_review(fuzz::text_of(data, size));
  if (!review) {
    MUST(review.error().code == ErrorCode::invalid);
    return 0;
  }
  check_admission(*review);
  const auto in_part = webhook::parse_review(fuzz::text_of(data, size), webhook::Reading::for_injection);
  MUST(in_part.has_value());
  const auto answer = webhook::admit(*in_part, kSettings, world_of);
  MUST(answer.needs_whole || answer.patch == webhook::admit(*review, kSettings, world_of).patch);
  check_answer(*review, webhook::protect(*review, [](const auto&, const auto& repository) {
    return repository == "repo" ? std::vector<std::string>{"BackupConfiguration demo/app-backup"}
                                : std::vector<std::string>{};
  }));
  const webhook::WarnWorld world{
      .namespace_labels = [](const std::string&) { return std::optional<Json>(Json::object()); },
      .repository = [](const std::string&,
                       const std::string& name) { return name == "repo" ? test::a_repository().shared() : nullptr; }};
  check_answer(*review, webhook::warn(*review, kSettings, world));
  return 0;
}
