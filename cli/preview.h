#pragma once
#include <string>
#include <vector>

#include "base/json.h"
#include "inject/injector.h"

namespace stash::cli {

/// All that the preview of one workload looks at: objects as they are written in files or in the API server.
struct PreviewWorld {
  Json workload;                 ///< as it is to be
  const Json* before = nullptr;  ///< as the API server has it now, when it is there
  std::string ns;
  std::vector<Json> objects;      ///< of any kind and namespace: what matters is picked out
  std::string blueprint_unknown;  ///< why nobody can say what the BackupBlueprint of the workload makes
  std::string namespace_unknown;  ///< why nobody can say what labels the Namespace has: it is taken to be opted in
};

struct Preview {
  std::string workload;  ///< "Deployment demo/web"
  std::string diff;      ///< unified, of YAML; "" when nothing changes
  Json result;           ///< the workload after the injection
  Json patch;            ///< what the webhook answers with
  bool has_sidecar = false, has_init_container = false;
  std::vector<std::string> why;      ///< what is carried, and what for
  std::vector<std::string> why_not;  ///< why something is not injected, with the remedy
  bool refused = false;              ///< something that was asked for is not injected
  std::vector<std::string> notes;    ///< what else is worth knowing
};

/// The very injection of the webhook (webhook/admit.h), with reasons. Error invalid: the workload is of a kind that
/// takes no sidecar, or an object of ours cannot be read.
Result<Preview> preview(const PreviewWorld& world, const inject::Settings& settings);

Json preview_report(const Preview& preview);
std::string render_preview(const Preview& preview, bool colours);

/// Is this an object that preview is about? By group and kind.
bool is_workload(const Json& object);

}  // namespace stash::cli
