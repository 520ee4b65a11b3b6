#pragma once

namespace stash::sidecar {

/// Sends SIGINT to the process group of each child of this process.
/// restic up to 0.16 dies of SIGTERM at once and leaves its lock behind; only SIGINT makes it clean up. run_process
/// knows SIGTERM and SIGKILL, and keeps the child's id to itself, hence the look into /proc (proc_pid_stat(5)).
void interrupt_children();

}  // namespace stash::sidecar
