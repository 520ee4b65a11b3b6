#pragma once
#include <catch2/catch.hpp>

#include "cli/doctor.h"
#include "unit/support/objects.h"

/// An installation for the doctor to look at. A test breaks only what it is about.
namespace stash::cli {

// NOLINTNEXTLINE(google-build-using-namespace): the builders of objects
using namespace stash::test;

inline const TimePoint kNow = kCreated + std::chrono::hours(1);

inline Json program(const std::string& name, const std::string& command, Json args) {
  return {
      {"metadata", {{"name", name}, {"namespace", "stash"}, {"labels", {{"app.kubernetes.io/component", "x"}}}}},
      {"spec",
       {{"replicas", 1},
        {"template",
         {{"spec",
           {{"serviceAccountName", name},
            {"containers", {{{"name", "c"}, {"command", {"/usr/bin/" + command}}, {"args", std::move(args)}}}}}}}}}},
      {"status", {{"readyReplicas", 1}}}};
}

inline Json crd(const api::Resource& resource) {
  return {{"metadata", {{"name", fmt::format("{}.{}", resource.plural, resource.group)}}},
          {"spec", {{"versions", {{{"name", resource.version}, {"served", true}}}}}},
          {"status", {{"conditions", {{{"type", "Established"}, {"status", "True"}}}}}}};
}

inline Json a_role(const std::string& name) {
  return {{"metadata", {{"name", name}}}, {"rules", {{{"apiGroups", {"*"}}, {"resources", {"*"}}, {"verbs", {"*"}}}}}};
}

inline Json a_binding(const std::string& name) {
  return {{"metadata", {{"name", name}}},
          {"roleRef", {{"name", name}}},
          {"subjects", {{{"kind", "ServiceAccount"}, {"name", name}, {"namespace", "stash"}}}}};
}

inline certs::CertificateFacts certificate(std::chrono::hours left) {
  certs::CertificateFacts facts;
  facts.not_before = kNow - std::chrono::hours(100);
  facts.not_after = kNow + left;
  return facts;
}

inline Json validating_webhook(const std::string& name, const std::string& failure_policy) {
  return {{"name", name},
          {"failurePolicy", failure_policy},
          {"clientConfig", {{"caBundle", "x"}, {"service", {{"name", "stash-webhook"}, {"namespace", "stash"}}}}}};
}

/// As the chart orders them.
inline Json validating_webhooks() {
  Json hooks = Json::array();
  for (const char* kind : {"repository", "backupconfiguration", "backupsession", "restoresession", "backupblueprint"})
    hooks.push_back(validating_webhook(fmt::format("{}.admission.stash.appscode.com", kind), "Ignore"));
  for (const char* kind : {"backupconfiguration", "restoresession", "repository", "backupblueprint"})
    hooks.push_back(validating_webhook(fmt::format("{}.authorization.stash.appscode.com", kind), "Fail"));
  return hooks;
}

/// An installation without a fault.
inline DoctorWorld a_world() {
  DoctorWorld world;
  world.now = kNow;
  world.lists["customresourcedefinitions"] =
      Json::array({crd(api::kRepositories), crd(api::kBackupConfigurations), crd(api::kBackupSessions),
                   crd(api::kBackupSessionHosts), crd(api::kRestoreSessions), crd(api::kBackupBlueprints)});
  world.lists["deployments"] = Json::array(
      {program("stash-webhook", "stash-webhook", {"--image=stash:1", "--injection-mode=opt-in"}),
       program("stash-operator", "stash-controller",
               {"--image=stash:1", "--injection-mode=opt-in", "--leader-election-lease=stash-controller"})});
  world.lists["leases"] =
      Json::array({{{"metadata", {{"name", "stash-controller"}, {"namespace", "stash"}}},
                    {"spec", {{"holderIdentity", "pod-1"}, {"renewTime", format_micro_time(kNow)}}}}});
  world.lists["services"] = Json::array({{{"metadata", {{"name", "stash-webhook"}, {"namespace", "stash"}}}}});
  world.lists["mutatingwebhookconfigurations"] =
      Json::array({{{"metadata", {{"name", "stash-injector"}}},
                    {"webhooks",
                     {{{"name", kInjectorWebhook},
                       {"failurePolicy", "Ignore"},
                       {"clientConfig",
                        {{"caBundle", "x"}, {"service", {{"name", "stash-webhook"}, {"namespace", "stash"}}}}}}}}}});
  world.lists["validatingwebhookconfigurations"] =
      Json::array({{{"metadata", {{"name", "stash-warnings"}}}, {"webhooks", validating_webhooks()}}});
  world.published_cas = {certificate(std::chrono::hours(1000))};
  world.serving_certificate = certificate(std::chrono::hours(100));
  world.lists["clusterroles"] = Json::array({a_role("stash-webhook"), a_role("stash-operator")});
  world.lists["clusterrolebindings"] = Json::array({a_binding("stash-webhook"), a_binding("stash-operator")});
  world.lists["namespaces"] =
      Json::array({{{"metadata", {{"name", "demo"}, {"labels", {{"stash.appscode.com/injection", "enabled"}}}}}}});
  world.lists["backupconfigurations"] = Json::array({a_backup_configuration().json()});
  world.lists["repositories"] = Json::array({a_repository().json()});
  return world;
}

inline std::vector<Check> complaints(const DoctorWorld& world) {
  auto checks = diagnose(world);
  std::erase_if(checks, [](const Check& check) { return check.level == Check::Level::ok; });
  return checks;
}

/// The only complaint.
inline Check complaint(const DoctorWorld& world) {
  const auto checks = complaints(world);
  CAPTURE(doctor_report(checks).dump());
  REQUIRE(checks.size() == 1);
  return checks.front();
}

}  // namespace stash::cli
