#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "api/resource.h"
#include "base/json.h"
#include "base/process.h"

/// The API server as kubectl reaches it: whatever way to log in kubectl knows works here too
/// (docs/decisions/0039-kubectl-stash-speaks-through-kubectl.md).
namespace stash::cli {

class Kubectl {
 public:
  struct Place {
    std::string program = "kubectl";
    std::string kubeconfig, context, ns;  ///< "" for what kubectl itself takes
    std::vector<std::pair<std::string, std::string>> env;
  };
  explicit Kubectl(Place place) : place_(std::move(place)) {}

  /// That of --namespace, else of the kubeconfig's context, else "default". Asked once.
  Result<std::string> ns();

  /// All standard output of `kubectl ARGUMENTS`. Errors by what kubectl says: not_found, already_exists, conflict,
  /// denied (a right is missing), unreachable, invalid for the rest, cancelled after Ctrl-C. What else it writes to
  /// standard error, such as warnings or how to log in, goes to ours at once.
  Result<std::string> run(const std::vector<std::string>& arguments, const std::string& input = "");
  Result<Json> run_json(const std::vector<std::string>& arguments, const std::string& input = "");

  /// One object; `ns` is "" for kinds without. Errors not_found: it, or its kind, is not there, and where it was looked
  /// for.
  Result<Json> get(const api::Resource& kind, const std::string& name, const std::string& ns);
  /// The items of a list; of all namespaces when `ns` is "". A kind that the cluster does not serve has none.
  Result<Json> list(const std::string& kind, const std::string& ns, const std::string& selector = "");
  Result<Json> list(const api::Resource& kind, const std::string& ns);
  /// As the API server has made it.
  Result<Json> create(const Json& object);
  Result<Json> patch(const api::Resource& kind, const std::string& name, const std::string& ns, const Json& merge);

  /// Runs kubectl with its standard output at `output_fd`.
  Result<void> run_into(const std::vector<std::string>& arguments, int output_fd);

 private:
  Result<std::string> call(const std::vector<std::string>& arguments, const std::string& input, int output_fd);
  Place place_;
  std::string ns_;
};

/// What kubectl wrote to standard error, as an error: "Error from server (NotFound): ..." is not_found. Exposed for
/// tests.
Error error_of_kubectl(std::string_view standard_error, int exit_code);
/// A not_found that is of the kind and not of an object.
bool is_unknown_kind(const Error& error);

}  // namespace stash::cli
