#include "base/process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <fstream>

using namespace stash;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

using Lines = std::vector<std::string>;

ProcessSpec shell(std::string script) {
  return {.argv = {"sh", "-c", std::move(script)}, .env = {{"PATH", "/usr/bin:/bin"}}, .tick = milliseconds(10)};
}

struct Run {
  Result<ProcessExit> ended;
  Lines lines;
};

Run run(const ProcessSpec& spec) {
  Run result{.ended = ProcessExit{}};
  result.ended =
      run_process(spec, [&result](std::string_view line) { result.lines.emplace_back(line); }, [] { return true; });
  return result;
}

/// Stops the child as soon as it has written its first line.
Run run_until_first_line(const ProcessSpec& spec) {
  Run result{.ended = ProcessExit{}};
  result.ended = run_process(
      spec, [&result](std::string_view line) { result.lines.emplace_back(line); },
      [&result] { return result.lines.empty(); });
  return result;
}

/// Gone, or a zombie that only its new parent has not collected yet.
bool runs(const std::string& pid) {
  std::ifstream stat("/proc/" + pid + "/stat");
  std::string number, name, state;
  stat >> number >> name >> state;
  return !state.empty() && state != "Z";
}

bool ends_soon(const std::string& pid) {
  const auto limit = steady_clock::now() + std::chrono::seconds(10);
  while (runs(pid) && steady_clock::now() < limit) ::usleep(1'000);
  return !runs(pid);
}

}  // namespace

TEST_CASE("lines of standard output come one by one, the last also without its end", "[base][process]") {
  const Run run = ::run(shell("printf 'one\\n\\ntwo\\nthree'; echo oops >&2"));
  CHECK(run.lines == Lines{"one", "", "two", "three"});
  CHECK(run.ended->exit_code == 0);
  CHECK(run.ended->stderr_tail == "oops\n");
  CHECK_FALSE(run.ended->stopped_by_us);
}

TEST_CASE("lines of standard error can be heard while the child runs", "[base][process]") {
  ProcessSpec spec = shell("echo one >&2; printf two >&2; echo out");
  Lines heard;
  spec.on_error_line = [&heard](std::string_view line) { heard.emplace_back(line); };
  const Run run = ::run(spec);
  CHECK(heard == Lines{"one", "two"});
  CHECK(run.lines == Lines{"out"});
  CHECK(run.ended->stderr_tail == "one\ntwo");
}

TEST_CASE("standard output can be had as it comes, without lines", "[base][process]") {
  ProcessSpec spec = shell("printf 'one\\ntwo'; printf three");
  std::string heard;
  spec.on_output = [&heard](std::string_view piece) { heard += piece; };
  CHECK(::run(spec).lines.empty());
  CHECK(heard == "one\ntwothree");
}

TEST_CASE("the exit code is the child's, or 128 and the signal", "[base][process]") {
  CHECK(::run(shell("exit 3")).ended->exit_code == 3);
  CHECK(::run(shell("kill -KILL $$")).ended->exit_code == 137);
}

TEST_CASE("the child gets exactly the environment that it is given", "[base][process]") {
  ProcessSpec spec{.argv = {"env"}, .env = {{"PATH", "/usr/bin:/bin"}, {"EMPTY", ""}, {"A", "x=y z"}}};
  CHECK(::run(spec).lines == Lines{"PATH=/usr/bin:/bin", "EMPTY=", "A=x=y z"});
}

TEST_CASE("arguments reach the program as they are, no shell sees them", "[base][process]") {
  CHECK(::run({.argv = {"printf", "%s\n", "$HOME", "a b", "*", ""}}).lines == Lines{"$HOME", "a b", "*", ""});
}

TEST_CASE("a missing program is not_found", "[base][process]") {
  CHECK(::run({.argv = {"no-such-program"}}).ended.error() ==
        Error{ErrorCode::not_found, "starting no-such-program: no such program in PATH"});
  CHECK(::run({.argv = {"/no/such/program"}}).ended.error() ==
        Error{ErrorCode::not_found, "starting /no/such/program: No such file or directory"});
  CHECK(::run({.argv = {"sh"}, .env = {{"PATH", "/nowhere"}}}).ended.error().code == ErrorCode::not_found);
  CHECK(::run({.argv = {"/etc/passwd"}}).ended.error().code == ErrorCode::denied);
  CHECK(::run({}).ended.error().code == ErrorCode::invalid);
}

TEST_CASE("the child works in its directory, and a missing one is not_found", "[base][process]") {
  ProcessSpec spec = shell("pwd");
  spec.working_directory = "/usr";
  CHECK(::run(spec).lines == Lines{"/usr"});
  spec.working_directory = "/no/such/place";
  CHECK(::run(spec).ended.error().code == ErrorCode::not_found);
}

TEST_CASE("a line over the limit is cut and the rest of it dropped", "[base][process][F41][I17]") {
  ProcessSpec spec = shell("printf '%0100d\\nnext\\n' 1; head -c 300000 /dev/zero | tr '\\0' x; echo; echo end");
  spec.max_line = 20;
  CHECK(::run(spec).lines == Lines{std::string(20, '0'), "next", std::string(20, 'x'), "end"});
}

TEST_CASE("only the end of standard error is kept", "[base][process][F41][I17]") {
  ProcessSpec spec = shell("for i in 1 2 3 4 5 6 7 8 9; do echo \"line $i\" >&2; done");
  spec.max_stderr = 14;
  CHECK(::run(spec).ended->stderr_tail == "line 8\nline 9\n");
}

TEST_CASE("a megabyte on both pipes blocks nobody", "[base][process][F41][I6]") {
  const Run run = ::run(shell("head -c 1000000 /dev/zero >&2; head -c 1000000 /dev/zero | tr '\\0' x"));
  CHECK(run.lines.at(0).size() == 1'000'000);
}

TEST_CASE("a child that is asked to stop can still clean up and say so", "[base][process]") {
  const Run run = run_until_first_line(shell("trap 'echo bye; exit 5' TERM; echo hi; while :; do sleep 0.01; done"));
  CHECK(run.lines == Lines{"hi", "bye"});
  CHECK(run.ended->exit_code == 5);
  CHECK(run.ended->stopped_by_us);
}

TEST_CASE("a stop can be another signal than SIGTERM", "[base][process]") {
  ProcessSpec spec = shell("trap 'exit 6' INT; trap 'exit 7' TERM; echo hi; while :; do sleep 0.01; done");
  spec.stop_signal = SIGINT;
  CHECK(run_until_first_line(spec).ended->exit_code == 6);
}

TEST_CASE("a child that ignores SIGTERM is killed after the grace", "[base][process][F41][I6]") {
  ProcessSpec spec = shell("trap '' TERM; echo hi; while :; do sleep 0.01; done");
  spec.grace = milliseconds(50);
  const Run run = run_until_first_line(spec);
  CHECK(run.ended->exit_code == 137);
  CHECK(run.ended->stopped_by_us);
}

TEST_CASE("a stop reaches the grandchildren too", "[base][process]") {
  const Run run = run_until_first_line(shell("sleep 1000 & echo $!; wait"));
  CHECK(run.ended->stopped_by_us);
  CHECK(ends_soon(run.lines.at(0)));
}

TEST_CASE("a grandchild that keeps the pipes does not keep us, and is ended", "[base][process]") {
  const auto began = steady_clock::now();
  const Run run = ::run(shell("sleep 1000 & echo $!; exit 4"));
  CHECK(run.ended->exit_code == 4);
  CHECK(steady_clock::now() - began < std::chrono::seconds(60));
  CHECK(ends_soon(run.lines.at(0)));
}

TEST_CASE("no zombie is left", "[base][process]") {
  ::run(shell("exit 0"));
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}

TEST_CASE("signals that we ignore or block work in the child", "[base][process]") {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t blocked, before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  CHECK(::run(shell("kill -PIPE $$; exit 0")).ended->exit_code == 128 + SIGPIPE);
  CHECK(::run(shell("kill -TERM $$; exit 0")).ended->exit_code == 128 + SIGTERM);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("the child does not outlive us", "[base][process]") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t us = ::fork();
  REQUIRE(us >= 0);
  if (us == 0) {
    const auto tell = [&ends](std::string_view line) {
      [[maybe_unused]] const auto written = ::write(ends[1], line.data(), line.size());
    };
    std::ignore = run_process(shell("echo $$; exec sleep 1000"), tell, [] { return true; });
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string pid(32, '\0');
  pid.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(ends[0], pid.data(), pid.size()))));
  ::close(ends[0]);
  CHECK(runs(pid));
  ::kill(us, SIGKILL);
  ::waitpid(us, nullptr, 0);
  CHECK(ends_soon(pid));
}

TEST_CASE("SIGTERM sets the flag that asks to stop", "[base][process]") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    catch_stop_signals();
    const bool before = stop_requested();
    ::raise(SIGTERM);
    ::_exit(!before && stop_requested() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
}

TEST_CASE("SIGHUP, by which restic asks whether the owner of a lock lives, ends nobody", "[base][process][F32][I12]") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    catch_stop_signals();
    ::raise(SIGHUP);
    ::_exit(stop_requested() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
}

TEST_CASE("a child reads what it is given as input, however much", "[base][process]") {
  ProcessSpec spec = shell("cat | wc -c");
  spec.input = std::string(300'000, 'x');
  const Run counted = run(spec);
  CHECK(counted.lines == Lines{"300000"});
  CHECK(run(shell("wc -c")).lines == Lines{"0"});
}

TEST_CASE("a child may write to a descriptor of ours instead of telling lines", "[base][process]") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  ProcessSpec spec = shell("printf 'a\\0b'");
  spec.output_fd = ends[1];
  const Run done = run(spec);
  CHECK(done.ended->exit_code == 0);
  CHECK(done.lines.empty());
  ::close(ends[1]);
  std::array<char, 8> bytes{};
  CHECK(::read(ends[0], bytes.data(), bytes.size()) == 3);
  ::close(ends[0]);
}

TEST_CASE("a child may read from a descriptor of ours", "[base][process]") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  REQUIRE(::write(ends[1], "hello", 5) == 5);
  ::close(ends[1]);
  ProcessSpec spec = shell("cat");
  spec.input_fd = ends[0];
  CHECK(run(spec).lines == Lines{"hello"});
  ::close(ends[0]);
}
