#pragma once
#include <string>
#include <vector>

#include "api/restore_session.h"

namespace stash::inject {

/// Why a RestoreSession can never be carried out as it is written; "" when it can. Nothing is refused here that could
/// succeed: each of these ends every attempt. Its spec cannot be changed, so the remedy is always a new one. `hosts`
/// are those of its target, as far as they are known. (Contract 9 and Q15: nothing that restores nothing may report
/// success.)
std::string unusable(const api::RestoreSession& session, const std::vector<std::string>& hosts);

}  // namespace stash::inject
