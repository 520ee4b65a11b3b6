#pragma once
#include <map>
#include <string>

#include "controller/plan.h"

namespace stash::controller {

/// What became of one object that the controller wants to exist.
enum class Owned {
  as_wanted,  ///< nothing to write
  planned,    ///< a write was added to the plan
  taken,      ///< an object of that name is not ours, or another's of ours; it is left alone
};

/// Plans to make `live` (null when there is none) what `wanted` says. `wanted` is complete: apiVersion, kind, metadata
/// with name, namespace, labels and ownerReferences, and the rest; the hash annotation is put on here. Ours is what
/// carries our managed-by label or an owner that `wanted` names. A RoleBinding to another role is removed and made
/// anew, for the API server refuses to change roleRef.
Owned plan_owned(Plan& plan, const api::Resource& resource, Json wanted, const Json* live);

/// Ours by label or by one of these owners?
bool is_ours(const Json& live, const Json& owners);

/// "BackupConfiguration web" when `live` is ours, but on account of another owner of the same kind as `owners`, and not
/// of them; else "". What an earlier owner of the same name has left may be taken over, and what is left by one that is
/// gone is removed by the API server.
std::string other_owner_of(const Json& live, const Json& owners);

/// Plans to delete `live` when it is ours, and no other owner's.
void drop_owned(Plan& plan, const api::Resource& resource, const Json* live, const Json& owners);

/// metadata of an object of ours.
Json owned_metadata(const std::string& ns, const std::string& name, const std::map<std::string, std::string>& labels,
                    const Json& owner);

}  // namespace stash::controller
