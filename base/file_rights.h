#pragma once

namespace stash {

/// Takes root's right to open any file out of the effective capabilities of this thread; execve gives it back. The
/// kernel lets nobody of the same user look into a program (its environment, memory, files) whose file the caller of
/// execve could not read: https://man7.org/linux/man-pages/man2/PR_SET_DUMPABLE.2const.html. So a program without the
/// read permission is out of reach for neighbours in a shared process namespace, root's too. Async-signal-safe.
void give_up_reading_everything_until_exec();

}  // namespace stash
