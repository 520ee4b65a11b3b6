#pragma once
#include <map>
#include <string>

#include "api/workload_kind.h"
#include "base/json.h"
#include "base/result.h"

/// ${NAME} in the texts of a BackupBlueprint.
namespace stash::controller {

using Variables = std::map<std::string, std::string>;

/// TARGET_API_VERSION (apps/v1), TARGET_KIND (deployment), TARGET_NAME, TARGET_NAMESPACE, TARGET_RESOURCE
/// (deployments) of a workload.
Variables variables_of(const api::WorkloadRef& workload);

/// `value` with the variables in every text of it, at any depth, replaced; keys stay. ${NAME:=default} is the default
/// where NAME is none of `variables` or empty; $${NAME} is the text ${NAME}; a $ before anything else is itself.
/// `pointer` is where `value` is. Error invalid, with the place and the names that there are: an unknown variable, or
/// one that is not closed.
Result<Json> with_variables(const Json& value, const Variables& variables, const std::string& pointer);

}  // namespace stash::controller
