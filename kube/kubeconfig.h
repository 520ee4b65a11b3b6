#pragma once
#include <functional>
#include <string>

#include "kube/config.h"

namespace stash::kube {

/// Decodes a kubeconfig's text; `read_file` gets the file names in it as they are written.
/// Errors: invalid with the place inside the text; what `read_file` returns.
/// https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
Result<Config> decode_kubeconfig(const std::string& text,
                                 const std::function<Result<std::string>(const std::string& file)>& read_file);

}  // namespace stash::kube
