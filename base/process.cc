#include "base/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/confinement.h"
#include "base/file_rights.h"

namespace stash {

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

constexpr milliseconds kPipesAfterExit{2'000};
constexpr milliseconds kWithoutPidfd{200};

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { close(); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

std::string error_text(int number) { return std::generic_category().message(number); }

std::unexpected<Error> no_start(std::string_view program, std::string_view step, int number) {
  return fail(ErrorCode::unreachable, fmt::format("starting {}: {}: {}", program, step, error_text(number)));
}

/// Above the standard three, so that the child's dup2 never meets its own source when we were started without them.
Fd move_above_standard(int fd) {
  if (fd > STDERR_FILENO || fd < 0) return Fd(fd);
  Fd low(fd);
  return Fd(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

struct Pipe {
  Fd read, write;
  bool make() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read = move_above_standard(ends[0]);
    write = move_above_standard(ends[1]);
    return read.open() && write.open();
  }
};

Fd copy_above_standard(int fd) { return Fd(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)); }

/// A file in memory and not a pipe: the child may read it when it likes, or never. Not open when something failed.
Fd file_of(std::string_view text) {
  Fd file = move_above_standard(::memfd_create("input", MFD_CLOEXEC));
  while (file.open() && !text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return {};
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (file.open() && ::lseek(file.get(), 0, SEEK_SET) != 0) return {};
  return file;
}

Fd input_of(const ProcessSpec& spec) {
  if (spec.input_fd >= 0) return copy_above_standard(spec.input_fd);
  if (!spec.input.empty()) return file_of(spec.input);
  return move_above_standard(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

/// Where the program is: as execvp would look, but in the PATH that the child will have, and before the fork.
std::string find_program(const ProcessSpec& spec) {
  const std::string& name = spec.argv.front();
  if (name.find('/') != std::string::npos) return name;
  const char* own = std::getenv("PATH");
  std::string_view path = own == nullptr ? "/usr/local/bin:/usr/bin:/bin" : own;
  for (const auto& [key, value] : spec.env) {
    if (key == "PATH") path = value;
  }
  while (true) {
    const auto end = path.find(':');
    const std::string_view directory = path.substr(0, end);
    std::string candidate = fmt::format("{}/{}", directory.empty() ? "." : directory, name);
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    if (end == std::string_view::npos) return "";
    path.remove_prefix(end + 1);
  }
}

/// All that the child needs, as plain pointers: between fork and exec only async-signal-safe calls are allowed,
/// for another thread may have held the allocator's lock at the fork.
struct Launch {
  const char* program;
  const char* directory;  ///< null: stay
  char* const* argv;
  char* const* env;
  int in, out, err, failure;
  const Confinement* confinement;  ///< null: none
  pid_t parent;
};

enum class Step : int { directory, streams, confinement, exec };
struct Failure {
  Step step;
  int number;
};

[[noreturn]] void become_child(const Launch& launch) {
  const auto give_up = [&launch](Step step) {
    const Failure failure{step, errno};
    [[maybe_unused]] const ssize_t written = ::write(launch.failure, &failure, sizeof failure);
    ::_exit(127);
  };
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != launch.parent) ::_exit(127);  // it died before the line above

  // What we ignore the child must not inherit: restic relies on SIGPIPE, and SIGTERM must reach it.
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  for (const int number : {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGCHLD}) ::sigaction(number, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);

  if (::dup2(launch.in, STDIN_FILENO) < 0 || ::dup2(launch.out, STDOUT_FILENO) < 0 ||
      ::dup2(launch.err, STDERR_FILENO) < 0) {
    give_up(Step::streams);
  }
  // Best effort for descriptors that a library opened without CLOEXEC.
  ::syscall(SYS_close_range, 3u, ~0u, 1u << 2 /* CLOSE_RANGE_CLOEXEC */);
  if (launch.directory != nullptr && ::chdir(launch.directory) != 0) give_up(Step::directory);
  if (launch.confinement != nullptr && !launch.confinement->enter()) give_up(Step::confinement);
  give_up_reading_everything_until_exec();
  ::execve(launch.program, launch.argv, launch.env);
  give_up(Step::exec);
  ::_exit(127);
}

std::unexpected<Error> report_failure(const ProcessSpec& spec, const Failure& failure) {
  const std::string& program = spec.argv.front();
  if (failure.step == Step::exec) {
    const bool missing = failure.number == ENOENT || failure.number == ENOTDIR;
    return fail(missing ? ErrorCode::not_found : ErrorCode::denied,
                fmt::format("starting {}: {}", program, error_text(failure.number)));
  }
  if (failure.step == Step::directory) {
    return fail(ErrorCode::not_found,
                fmt::format("starting {} in {}: {}", program, spec.working_directory, error_text(failure.number)));
  }
  return no_start(program, failure.step == Step::confinement ? "confinement" : "standard streams", failure.number);
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// Cuts standard output into lines.
class Lines {
 public:
  Lines(std::size_t longest, const std::function<void(std::string_view)>& on_line)
      : longest_(longest), on_line_(on_line) {}

  void feed(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      const auto part = bytes.substr(0, end);
      pending_ += part.substr(0, longest_ - std::min(longest_, pending_.size()));
      if (end == std::string_view::npos) {
        begun_ = true;
        return;
      }
      emit();
      bytes.remove_prefix(end + 1);
    }
  }
  void finish() {
    if (begun_) emit();
  }

 private:
  void emit() {
    on_line_(pending_);
    pending_.clear();
    begun_ = false;
  }
  std::size_t longest_;
  const std::function<void(std::string_view)>& on_line_;
  std::string pending_;
  bool begun_ = false;
};

/// The end of standard error.
class Tail {
 public:
  explicit Tail(std::size_t most) : most_(most) {}
  void feed(std::string_view bytes) {
    text_ += bytes;
    if (text_.size() > 2 * most_) text_.erase(0, text_.size() - most_);
  }
  std::string take() {
    if (text_.size() > most_) text_.erase(0, text_.size() - most_);
    return std::move(text_);
  }

 private:
  std::size_t most_;
  std::string text_;
};

/// A started child, until it is reaped.
class Child {
 public:
  Child(pid_t pid, Fd out, Fd err) : pid_(pid), out_(std::move(out)), err_(std::move(err)) {
    pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (reaped_) return;  // its number may already be somebody else's
    signal_group(SIGKILL);
    reap();
  }

  void signal_group(int number) const { ::kill(-pid_, number); }

  /// Waits for bytes, the end of the child, or `limit`.
  void wait(milliseconds limit) {
    std::array<pollfd, 3> polled{{{out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}, {-1, POLLIN, 0}}};
    if (!exited_ && pidfd_.open()) polled[2].fd = pidfd_.get();
    if (!exited_ && !pidfd_.open()) limit = std::min(limit, kWithoutPidfd);
    ::poll(polled.data(), polled.size(), static_cast<int>(std::max<std::int64_t>(0, limit.count())));
  }

  /// Reads what is there, one bufferful of each pipe so that nothing starves the clock.
  void read(const std::function<void(std::string_view)>& on_output, Lines& error_lines, Tail& tail) {
    read_one(out_, on_output);
    read_one(err_, [&](std::string_view bytes) {
      error_lines.feed(bytes);
      tail.feed(bytes);
    });
  }

  bool pipes_open() const { return out_.open() || err_.open(); }

  /// Leaves it a zombie, so that its process group cannot become somebody else's before we are done with it.
  bool exited() {
    if (exited_) return true;
    siginfo_t info{};
    exited_ = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid_;
    return exited_;
  }

  int reap() {
    if (reaped_) return exit_code_;
    int status = 0;
    pid_t got = 0;
    do {
      got = ::waitpid(pid_, &status, 0);
    } while (got < 0 && errno == EINTR);
    reaped_ = true;
    if (got == pid_) exit_code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return exit_code_;
  }

 private:
  template <class F>
  static void read_one(Fd& fd, F&& consume) {
    if (!fd.open()) return;
    std::array<char, 16'384> buffer;
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count > 0) {
      consume(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      fd.close();
    }
  }

  pid_t pid_;
  Fd out_, err_, pidfd_;
  bool exited_ = false, reaped_ = false;
  int exit_code_ = 255;
};

volatile std::sig_atomic_t stop_signal_seen = 0;

void remember_stop(int /*number*/) { stop_signal_seen = 1; }

milliseconds until(SteadyTime when) { return std::chrono::ceil<milliseconds>(when - std::chrono::steady_clock::now()); }

}  // namespace

Result<ProcessExit> run_process(const ProcessSpec& spec, const std::function<void(std::string_view)>& on_line,
                                const std::function<bool()>& on_tick) {
  if (spec.argv.empty() || spec.argv.front().empty()) return fail(ErrorCode::invalid, "no program to start");
  const std::string program = find_program(spec);
  if (program.empty()) {
    return fail(ErrorCode::not_found, fmt::format("starting {}: no such program in PATH", spec.argv.front()));
  }

  std::vector<std::string> arguments = spec.argv;
  std::vector<std::string> environment;
  environment.reserve(spec.env.size());
  for (const auto& [key, value] : spec.env) environment.push_back(fmt::format("{}={}", key, value));
  const std::vector<char*> argv = pointers_to(arguments), env = pointers_to(environment);

  Pipe out, err, failure;
  if (!out.make() || !err.make() || !failure.make()) return no_start(program, "pipe", errno);
  const Fd input = input_of(spec);
  if (!input.open()) return no_start(program, "standard input", errno);
  const Fd output = spec.output_fd >= 0 ? copy_above_standard(spec.output_fd) : Fd();
  if (spec.output_fd >= 0 && !output.open()) return no_start(program, "standard output", errno);
  ::fcntl(out.read.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(err.read.get(), F_SETFL, O_NONBLOCK);

  std::optional<Confinement> confinement;
  if (spec.writable) confinement.emplace(*spec.writable);
  const Launch launch{.program = program.c_str(),
                      .directory = spec.working_directory.empty() ? nullptr : spec.working_directory.c_str(),
                      .argv = argv.data(),
                      .env = env.data(),
                      .in = input.get(),
                      .out = output.open() ? output.get() : out.write.get(),
                      .err = err.write.get(),
                      .failure = failure.write.get(),
                      .confinement = confinement && confinement->possible() ? &*confinement : nullptr,
                      .parent = ::getpid()};
  const pid_t pid = ::fork();
  if (pid < 0) return no_start(program, "fork", errno);
  if (pid == 0) become_child(launch);
  ::setpgid(pid, pid);  // in both, for either may be first; EACCES after the exec is harmless
  out.write.close();
  err.write.close();
  failure.write.close();
  Child child(pid, std::move(out.read), std::move(err.read));

  Failure failed{};
  ssize_t count = 0;
  do {
    count = ::read(failure.read.get(), &failed, sizeof failed);
  } while (count < 0 && errno == EINTR);
  if (count == static_cast<ssize_t>(sizeof failed)) return report_failure(spec, failed);

  ProcessExit result;
  result.confined = launch.confinement != nullptr;
  const std::function<void(std::string_view)> on_error_line =
      spec.on_error_line ? spec.on_error_line : [](std::string_view) {};
  Lines lines(spec.max_line, on_line), error_lines(spec.max_line, on_error_line);
  const std::function<void(std::string_view)> on_output =
      spec.on_output ? spec.on_output : [&lines](std::string_view bytes) { lines.feed(bytes); };
  Tail tail(spec.max_stderr);
  SteadyTime next_tick = std::chrono::steady_clock::now() + spec.tick;
  SteadyTime deadline = SteadyTime::max();  // of the grace after the stop, then of the pipes after the exit
  bool exit_seen = false;
  while (!exit_seen || child.pipes_open()) {
    child.wait(until(std::min(next_tick, deadline)));
    // Asked before reading: what the child wrote before its end is then certainly read.
    if (child.exited() && !exit_seen) {
      exit_seen = true;
      deadline = std::chrono::steady_clock::now() + kPipesAfterExit;
    }
    child.read(on_output, error_lines, tail);
    const SteadyTime now = std::chrono::steady_clock::now();
    if (now >= deadline) {
      if (exit_seen) break;
      child.signal_group(SIGKILL);
      deadline = SteadyTime::max();
    }
    if (now < next_tick) continue;
    next_tick = now + spec.tick;
    if (exit_seen || result.stopped_by_us || on_tick()) continue;
    result.stopped_by_us = true;
    child.signal_group(spec.stop_signal);
    deadline = now + spec.grace;
  }
  lines.finish();
  error_lines.finish();
  child.signal_group(SIGKILL);  // grandchildren that outlived the child
  result.exit_code = child.reap();
  result.stderr_tail = tail.take();
  return result;
}

void catch_stop_signals() {
  struct sigaction action{};
  action.sa_handler = remember_stop;
  ::sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;  // poll is interrupted all the same
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  // restic asks whether the owner of a lock still lives by sending SIGHUP to its PID. A lock from before a restart of
  // this container may name ours.
  ::signal(SIGHUP, SIG_IGN);
}

bool stop_requested() { return stop_signal_seen != 0; }

}  // namespace stash
