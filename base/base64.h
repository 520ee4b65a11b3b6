#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace stash {

/// Standard base64 with padding (RFC 4648 section 4), as Kubernetes uses for []byte: Secrets, caBundle, patches.
std::string encode_base64(std::string_view bytes);
/// The same behind what is in `out` already.
void append_base64(std::string& out, std::string_view bytes);
/// White space is skipped, padding may be absent. Error invalid; its message never holds the text.
Result<std::string> decode_base64(std::string_view text);

}  // namespace stash
