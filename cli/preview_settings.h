#pragma once
#include <string>
#include <vector>

#include "cli/kubectl.h"
#include "inject/settings.h"

/// The settings of the webhook, with which `kubectl stash preview` decides.
namespace stash::cli {

/// Those of charts/stash/values.yaml, but for the directories of nodes: a Repository may be in any.
Result<inject::Settings> chart_defaults(const std::string& image);

/// Of the running webhook; the chart's defaults for who may not read its Deployment, which `notes` and standard error
/// say then. Error not_found: there is no webhook.
Result<inject::Settings> live_settings(Kubectl& kubectl, const std::string& image, std::vector<std::string>& notes);

/// Without a cluster: a rendered chart among the files decides, else the chart's defaults, which `notes` say then.
Result<inject::Settings> local_settings(const std::vector<Json>& objects, const std::string& image,
                                        std::vector<std::string>& notes);

}  // namespace stash::cli
