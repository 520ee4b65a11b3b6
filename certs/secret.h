#pragma once
#include <string_view>

#include "base/json.h"
#include "certs/facts.h"

namespace stash::certs {

/// `data` of a v1 Secret, decoded; entries that are no base64 are left out.
SecretData data_of_secret(const Json& secret);
/// The other way round, for `data` of a v1 Secret.
Json encode_secret_data(const SecretData& data);

}  // namespace stash::certs
