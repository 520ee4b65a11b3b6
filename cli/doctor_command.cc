#include "cli/commands.h"
#include "cli/doctor.h"
#include "cli/doctor_reading.h"
#include "cli/terminal.h"

namespace stash::cli {

Result<int> run_doctor(Kubectl& kubectl, const Options& options) {
  TRY(const DoctorWorld world, read_doctor_world(kubectl, system_clock().now()));
  const std::vector<Check> checks = diagnose(world);
  if (!print_report(doctor_report(checks), options.output)) print(render_doctor(checks, wants_colours()));
  return has_problem(checks) ? kFailed : kSucceeded;
}

}  // namespace stash::cli
