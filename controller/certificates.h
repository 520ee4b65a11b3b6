#pragma once
#include <chrono>
#include <string>

#include "base/time.h"
#include "kube/api.h"
#include "kube/term.h"

namespace stash::controller {

/// The webhook's certificates: a Secret that the webhook's pods read, and the CA that API servers trust for it.
struct CertificateOptions {
  api::ObjectRef secret;
  std::string service;                 ///< in the Secret's namespace
  std::string mutating_configuration;  ///< names; "" for none
  std::string validating_configuration;
};

/// One look: makes or rotates what is due, publishes the CA. Says how soon to look again.
Result<std::chrono::seconds> reconcile_certificates(kube::Api& api, const CertificateOptions& options,
                                                    const Clock& clock);

/// Looks at least once a minute until `term` is over, so that a bundle that somebody wiped is back soon. Blocks.
void keep_certificates(kube::Api& api, const CertificateOptions& options, const Clock& clock, const kube::Term& term);

}  // namespace stash::controller
