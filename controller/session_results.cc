#include "controller/session_results.h"

#include <fmt/format.h>

#include "base/text.h"
#include "controller/hosts.h"

namespace stash::controller {
namespace {

/// The rest is for what others write into the session.
constexpr std::size_t kMost = 1'200'000;

/// About, with what the API server notes in metadata.managedFields of who wrote each field.
std::size_t stored_size(const Json& stats) {
  constexpr std::size_t kOfHost = 50, kOfField = 9;
  std::size_t size = dump_json(stats).size();
  for (const Json& host : stats) {
    size += kOfHost + string_at(host, {"hostname"}).size();
    for (const auto& [name, value] : host.items()) size += kOfField + name.size();
  }
  return size;
}

enum class Snapshots { of_failed, none };

void shorten(SessionResults& results, Snapshots kept, std::size_t longest_error) {
  for (Json& host : results.stats) {
    if (kept == Snapshots::none || string_at(host, {"phase"}) == kHostSucceeded) host.erase("snapshots");
    if (kept == Snapshots::none) host.erase("duration");
    if (const std::string error = string_at(host, {"error"}); error.size() > longest_error)
      host["error"] = first_bytes(error, longest_error);
  }
  results.left_out = fmt::format(
      "the results of {} hosts have no room in one object: {} listed, and errors are cut after {} characters",
      results.stats.size(),
      kept == Snapshots::none ? "no snapshots and durations are" : "the snapshots of those that succeeded are not",
      longest_error);
}

}  // namespace

SessionResults results_that_fit(const Json& stats, const std::vector<api::Condition>& conditions) {
  std::size_t beside = 0;
  for (const api::Condition& condition : conditions) beside += condition.message.size();
  SessionResults results{finished_hosts(stats), ""};
  if (stored_size(results.stats) + beside > kMost) shorten(results, Snapshots::of_failed, 200);
  if (stored_size(results.stats) + beside > kMost) shorten(results, Snapshots::none, 60);
  return results;
}

}  // namespace stash::controller
