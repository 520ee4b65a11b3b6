#include "webhook/author_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/workload_kind.h"
#include "inject/host_path.h"

namespace stash::webhook {
namespace {

const Json& spec_of(const Json& object) { return object_at(object, {"spec"}); }

/// Null for a missing one, so that missing and null are equal.
Json member(const Json& object, std::string_view key) {
  const Json* found = at(object, {key});
  return found == nullptr ? Json() : *found;
}

bool is_harmless(const std::string& field) { return std::ranges::count(harmless_fields(), field) != 0; }

bool changes_more_than_harmless_fields(const Json& before, const Json& after) {
  const auto differs = [](const Json& from, const Json& to) {
    return std::ranges::any_of(from.items(), [&](const auto& field) {
      return !is_harmless(field.key()) && member(to, field.key()) != field.value();
    });
  };
  return differs(after, before) || differs(before, after);
}

void add_need(AuthorCheck& check, Need wanted) {
  const bool asked = std::ranges::any_of(check.needs, [&](const Need& other) { return other.right == wanted.right; });
  if (!asked) check.needs.push_back(std::move(wanted));
}

/// Of a BackupConfiguration or RestoreSession; `before` is empty when there was none.
void need_for_hooks(const Json& before, const Json& after, const std::string& ns, AuthorCheck& check) {
  const bool elsewhere = member(object_at(before, {"target"}), "ref") != member(object_at(after, {"target"}), "ref");
  for (const auto& [name, hook] : object_at(after, {"hooks"}).items()) {
    if (member(hook, "exec").is_null()) continue;
    if (!elsewhere && member(object_at(before, {"hooks"}), name) == hook) continue;
    add_need(check, {{"create", "", "pods", "exec", "", ns},
                     fmt::format("spec.hooks.{}.exec runs a command in a container of a pod", name),
                     "use httpGet, httpPost or tcpSocket"});
  }
}

void need_for_target(const Json& before, const Json& after, const std::string& ns, AuthorCheck& check) {
  const Json& ref = object_at(after, {"target", "ref"});
  const api::TargetRef target{string_at(ref, {"apiVersion"}), string_at(ref, {"kind"}), string_at(ref, {"name"})};
  const api::WorkloadKind* kind = api::workload_kind(target);
  // What names no workload that takes a sidecar has no effect.
  if (kind == nullptr || target.name.empty() || !changes_more_than_harmless_fields(before, after)) return;
  add_need(check,
           {{"patch", std::string(kind->resource.group), std::string(kind->resource.plural), "", target.name, ns},
            fmt::format("it acts on the pods of {} {}, its spec.target.ref", target.kind, target.name),
            "name a workload that you may change"});
}

/// In a BackupBlueprint a name may hold variables; then any Secret is meant.
std::string fixed_name(const std::string& name) { return name.contains("${") ? "" : name; }

void need_for_backend(const Json& before, const Json& after, const Review& review, const inject::Settings& settings,
                      AuthorCheck& check) {
  const std::string& ns = review.ns;
  const Json& backend = object_at(after, {"backend"});
  const Json& backend_before = object_at(before, {"backend"});
  const bool wipes = bool_at(after, {"wipeOut"}) && !bool_at(before, {"wipeOut"});
  const std::string secret = string_at(backend, {"storageSecretName"});
  // Any change of the backend: another endpoint would be sent the credentials of a Secret that was named before.
  if (!secret.empty() && (backend != backend_before || wipes)) {
    add_need(check, {{"get", "", "secrets", "", fixed_name(secret), ns},
                     fmt::format("spec.backend.storageSecretName has Secret {} used", secret),
                     "name a Secret that you may read"});
  }
  const Json local = member(backend, "local");
  if (local.is_null() || local == member(backend_before, "local")) return;
  if (settings.operator_account.empty() || review.user != settings.operator_account) {
    add_need(check, {{"create", "", "pods", "", "", ns},
                     "spec.backend.local has a volume mounted into pods",
                     "use another backend"});
  }
  if (std::string objection = inject::host_path_objection(local, settings.allowed_host_paths); !objection.empty()) {
    check.objections.push_back(std::move(objection));
  }
}

/// The settings of containers reach the pods of whoever asks for the blueprint.
void need_for_settings(Json before, Json after, AuthorCheck& check) {
  for (Json* spec : {&before, &after}) {
    for (const char* other : {"backend", "wipeOut"}) spec->erase(other);
  }
  if (!changes_more_than_harmless_fields(before, after)) return;
  add_need(check, {{"patch", "apps", "deployments", "", "", ""},
                   "it has settings that reach the pods of workloads in any namespace",
                   "set nothing but backend, wipeOut, schedule, retentionPolicy, backupHistoryLimit, timeOut and "
                   "retryConfig"});
}

std::string label_of(const Review& review) {
  std::string name = string_at(review.object, {"metadata", "name"}, review.name);
  if (name.empty()) name = string_at(review.object, {"metadata", "generateName"});
  return fmt::format("{} {}", review.kind, api::to_string({review.ns, name}));
}

Answer refused(const AuthorCheck& check, const std::vector<std::string>& texts, std::string reason) {
  return {.refusal = fmt::format("{}: {}", check.object, fmt::join(texts, ". ")),
          .outcome = "refused",
          .reason = std::move(reason)};
}

}  // namespace

const std::vector<std::string>& harmless_fields() {
  static const std::vector<std::string> fields = {"schedule",           "retentionPolicy", "paused",
                                                  "backupHistoryLimit", "timeOut",         "retryConfig"};
  return fields;
}

AuthorCheck plan_author_check(const Review& review, const inject::Settings& settings) {
  AuthorCheck check{.object = label_of(review)};
  const bool write = review.operation == "CREATE" || review.operation == "UPDATE";
  if (review.group != api::kRepositories.group || !review.subresource.empty() || !write) return check;
  const Json& before = spec_of(review.old_object);
  const Json& after = spec_of(review.object);
  if (review.kind == api::kRepositories.kind) {
    need_for_backend(before, after, review, settings, check);
  } else if (review.kind == api::kBackupBlueprints.kind) {
    need_for_backend(before, after, review, settings, check);
    need_for_settings(before, after, check);
  } else if (review.kind == api::kBackupConfigurations.kind || review.kind == api::kRestoreSessions.kind) {
    need_for_hooks(before, after, review.ns, check);
    need_for_target(before, after, review.ns, check);
  }
  return check;
}

Answer judge_author(const Review& review, const AuthorCheck& check, const std::vector<bool>& has) {
  std::vector<std::string> texts = check.objections;
  for (std::size_t i = 0; i < check.needs.size(); ++i) {
    if (i < has.size() && has[i]) continue;
    const Need& need = check.needs[i];
    texts.push_back(fmt::format("{}, and {} may not {}; have that granted, or {}", need.because, review.user,
                                to_string(need.right), need.instead));
  }
  if (texts.empty()) return {.outcome = "unchanged", .reason = check.needs.empty() ? "no_right_needed" : "has_rights"};
  return refused(check, texts, check.objections.empty() ? "lacks_right" : "host_path_not_allowed");
}

Answer author_not_checked(const AuthorCheck& check, const Error& error) {
  return refused(
      check,
      {fmt::format("whether its author may do what it asks for could not be checked: {}; try again", error.message)},
      "not_checked");
}

}  // namespace stash::webhook
