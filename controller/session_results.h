#pragma once
#include <string>
#include <vector>

#include "api/meta.h"
#include "base/json.h"

/// The results of a session of many hosts, as its status keeps them once it has ended: in one object, and etcd refuses
/// one of more than 1.5 MiB.
namespace stash::controller {

struct SessionResults {
  Json stats;
  std::string left_out;  ///< a sentence about what had no room; "" for nothing
};

/// `stats` are the entries of its hosts. What pods and controller told one another in them is of no use any more.
/// `conditions` share the object with them.
SessionResults results_that_fit(const Json& stats, const std::vector<api::Condition>& conditions);

}  // namespace stash::controller
