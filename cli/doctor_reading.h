#pragma once
#include "cli/doctor.h"
#include "cli/kubectl.h"

namespace stash::cli {

/// Asks kubectl for all that the checks look at. A kind that may not be listed is `unreadable`; any other failure is an
/// error.
Result<DoctorWorld> read_doctor_world(Kubectl& kubectl, TimePoint now);

}  // namespace stash::cli
