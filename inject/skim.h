#pragma once
#include "base/json_text.h"

namespace stash::inject {

/// What of a workload no injection looks at but to know how large it is, and to tell one template of an UPDATE from the
/// other: other people's annotations, the bookkeeping of field managers, the status and, where there is only one
/// template, what containers that are not ours run. It is most of a usual workload.
const Skim& unread(bool is_update);

}  // namespace stash::inject
