#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "certs/facts.h"

namespace stash::cli {

/// What `kubectl stash doctor` has read, by plural: "deployments" -> its items. What could not be read is in
/// `unreadable` with the reason.
struct DoctorWorld {
  std::map<std::string, Json> lists;
  std::map<std::string, std::string> unreadable;
  std::vector<certs::CertificateFacts> published_cas;          ///< of the caBundles
  std::optional<certs::CertificateFacts> serving_certificate;  ///< nullopt: there is none to look at
  std::string certificate_fault;                               ///< why the webhook's Secret has none; "" when it has
  bool serving_certificate_is_signed = true;                   ///< by one of the published CAs
  TimePoint now{};
};

struct Check {
  enum class Level { ok, warning, problem };
  Level level = Level::ok;
  std::string area;     ///< crds, programs, webhook, certificates, rbac, labels, backups, backends, sessions, restores,
                        ///< stale; access when all else is unseen
  std::string message;  ///< what is so
  std::string remedy;   ///< what to do; "" when all is well
  friend bool operator==(const Check&, const Check&) = default;
};

/// Kinds that are to be listed, as arguments of `kubectl get`.
const std::vector<std::string>& doctor_kinds();

/// Every check speaks, in a fixed order.
std::vector<Check> diagnose(const DoctorWorld& world);

Json doctor_report(const std::vector<Check>& checks);
/// Problems and warnings with their remedies, then one line for what is well.
std::string render_doctor(const std::vector<Check>& checks, bool colours);
bool has_problem(const std::vector<Check>& checks);

/// The webhook that injects.
inline constexpr std::string_view kInjectorWebhook = "workload.admission.stash.appscode.com";

}  // namespace stash::cli
