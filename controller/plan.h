#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"
#include "api/resource.h"
#include "base/json.h"

namespace stash::controller {

/// One write to the API server. All are conditional: patches carry a resourceVersion, removals a UID, so a decision
/// made from an old copy is refused instead of done. What is created and exists already is done.
struct Write {
  enum class Verb { apply, create, merge_patch, remove, evict };
  Verb verb = Verb::merge_patch;
  api::Resource resource;
  api::ObjectRef ref;
  std::string subresource;    ///< "" or "status"
  Json body;                  ///< the object or the patch; null for remove
  std::string uid;            ///< of remove and evict: the object that is meant
  std::string field_manager;  ///< of a merge patch: what admission is to see; "" for nothing of note
  friend bool operator==(const Write&, const Write&) = default;
};

/// A core v1 Event on the object that the plan is about.
struct Note {
  bool warning = false;
  std::string reason, message;
  friend bool operator==(const Note&, const Note&) = default;
};

/// Everything that follows from a World, in this order: writes (the first that fails stops the rest), then notes.
struct Plan {
  std::vector<Write> writes;
  std::vector<Note> notes;
  std::optional<std::chrono::seconds> look_again_in;  ///< also without an event of any watched object
  bool empty() const { return writes.empty() && notes.empty(); }
  friend bool operator==(const Plan&, const Plan&) = default;
};

/// One line per write and note, for --dry-run and for the log at debug level.
std::string render_plan(const Plan& plan);

/// The earlier of both.
void look_again(Plan& plan, std::chrono::seconds in);

void note(Plan& plan, std::string_view reason, std::string message);
void warn(Plan& plan, std::string_view reason, std::string message);

/// Adds a merge patch of the status subresource with only the top-level fields of `status` that differ from those of
/// `object`; nothing when none does.
void write_status(Plan& plan, const api::Resource& resource, const Json& object, const Json& status);

/// Adds a merge patch of the object itself; `patch` need not have the resourceVersion yet.
void write_patch(Plan& plan, const api::Resource& resource, const Json& object, Json patch);

void create_object(Plan& plan, const api::Resource& resource, Json object);

void remove_object(Plan& plan, const api::Resource& resource, const api::ObjectMeta& meta);

/// Deletes a pod as its PodDisruptionBudget allows.
void evict_pod(Plan& plan, const api::ObjectRef& pod, const std::string& uid);

/// Older Stash put finalizers on its objects and removed them itself; we set none, so that a dead operator never blocks
/// a deletion, and take theirs away from an object that is being deleted. True when there is one.
bool release_legacy_finalizers(Plan& plan, const api::Resource& resource, const Json& object);

}  // namespace stash::controller
