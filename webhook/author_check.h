#pragma once
#include <string>
#include <vector>

#include "inject/settings.h"
#include "webhook/access_review.h"
#include "webhook/review.h"

/// Nobody gains a right through Stash that Kubernetes would deny him: what an object makes Stash do, its author must be
/// allowed to do himself. The only reviews that are refused when in doubt (docs/decisions/0026).
namespace stash::webhook {

/// A right that the author needs, and why.
struct Need {
  Right right;
  std::string because;  ///< "spec.hooks.preBackup.exec runs a command in a container of a pod"
  std::string instead;  ///< what he can do without it: "use httpGet, httpPost or tcpSocket"
  friend bool operator==(const Need&, const Need&) = default;
};

/// What to ask the API server about a write, and what is refused whatever it says.
struct AuthorCheck {
  std::string object;  ///< "BackupConfiguration demo/web"
  std::vector<Need> needs;
  std::vector<std::string> objections;
  friend bool operator==(const AuthorCheck&, const AuthorCheck&) = default;
};

/// Looks at what this write adds or changes, not at what somebody else was allowed to write before: who edits a
/// schedule needs no right to what the rest of the object does. What shapes the pod or is done in it is asked for anew
/// as a whole.
///
/// | written | the author must be allowed to |
/// | --- | --- |
/// | an exec hook, or another target for one | create pods/exec |
/// | a target, or anything but harmless_fields() beside it | patch that workload |
/// | a backend with a Secret, a change of one (the endpoint!), wipeOut | get that Secret |
/// | a backend with a volume | create pods; a hostPath must be one that the administrator allows |
/// | a BackupBlueprint with such a backend | the same in all namespaces |
/// | its runtimeSettings, or whatever else reaches pods | patch Deployments in all namespaces |
///
/// The controller may keep Repositories on volumes: it makes them for who annotates a workload, and may thus mount the
/// same volume himself.
///
/// Pure and total; reads the objects as they are on the wire, so that one that does not decode is not let through.
/// Whether the named objects exist does not matter, so no answer tells.
AuthorCheck plan_author_check(const Review& review, const inject::Settings& settings);

/// The answer, given whether the author has each right that is needed, in their order. A refusal names all that is
/// missing and how to mend it.
Answer judge_author(const Review& review, const AuthorCheck& check, const std::vector<bool>& has);

/// The refusal when the API server could not be asked.
Answer author_not_checked(const AuthorCheck& check, const Error& error);

/// Fields of spec that neither change a pod nor do anything in one: schedule, retentionPolicy, paused and the like. The
/// chart's matchConditions have the same list; a field that is missing from it is asked about without need, no more.
const std::vector<std::string>& harmless_fields();

}  // namespace stash::webhook
