#include "unit/support/fake_restic.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace stash::test {

namespace {

namespace fs = std::filesystem;

// Arguments and environment are noted one a file, separated by NUL, for both may hold line breaks.
constexpr const char* kScript = R"sh(#!/bin/sh
here=$(dirname "$0")
sub=
skip=
for a in "$@"; do
  if [ -n "$skip" ]; then skip=; continue; fi
  case "$a" in
    --cache-dir|--cacert) skip=1 ;;
    -*) ;;
    *) sub=$a; break ;;
  esac
done
if [ "$sub" = version ]; then cat "$here/version"; exit 0; fi
case " $* " in *" --tag stash-incomplete "*)
  sub=incomplete
  [ -f "$here/incomplete.0.code" ] || { echo '[]'; exit 0; } ;;
esac
n=$(cat "$here/count"); echo $((n + 1)) > "$here/count"
printf '%s\0' "$@" > "$here/arguments.$n"
env -0 > "$here/environment.$n"
printf '%s' "$sub" > "$here/subcommand.$n"
k=$(cat "$here/$sub.count" 2>/dev/null || echo 0); echo $((k + 1)) > "$here/$sub.count"
if [ ! -f "$here/$sub.$k.code" ]; then echo "fake restic: no answer left for $sub" >&2; exit 99; fi
[ -f "$here/$sub.$k.before" ] && . "$here/$sub.$k.before"
cat "$here/$sub.$k.out"
cat "$here/$sub.$k.err" >&2
exit "$(cat "$here/$sub.$k.code")"
)sh";

void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }
std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, '\0');) parts.push_back(part);
  return parts;
}

}  // namespace

FakeRestic::FakeRestic() {
  write(directory_ / "restic", kScript);
  ::chmod((directory_ / "restic").c_str(), 0755);
  write(directory_ / "count", "0\n");
  version("restic 0.14.0 compiled with go1.19.8 on linux/amd64\n");
  fs::create_directory(directory_ / "secret");
  write_secret("RESTIC_PASSWORD", "correct horse");
}

FakeRestic& FakeRestic::version(const std::string& line) {
  write(directory_ / "version", line);
  return *this;
}

FakeRestic& FakeRestic::on(const std::string& subcommand, ResticAnswer answer) {
  const std::string base = directory_ / fmt::format("{}.{}", subcommand, answers_[subcommand]++);
  write(base + ".out", answer.output);
  write(base + ".err", answer.standard_error);
  write(base + ".code", std::to_string(answer.exit_code));
  if (!answer.before.empty()) write(base + ".before", answer.before + "\n");
  return *this;
}

FakeRestic& FakeRestic::hang(const std::string& subcommand) { return on(subcommand, {.before = "exec sleep 600"}); }

void FakeRestic::write_secret(const std::string& key, const std::string& value) {
  write(directory_ / ("secret/" + key), value);
}

sidecar::ResticPlace FakeRestic::place() const {
  using std::chrono::milliseconds;
  sidecar::ResticPlace place;
  place.settings.program = directory_ / "restic";
  place.settings.temp_directory = directory_ / "tmp";
  place.settings.cache_directory = directory_ / "cache";
  place.settings.home = directory_.path();
  place.settings.secret_directory = directory_ / "secret";
  const char* path = std::getenv("PATH");
  place.inherited = {{"PATH", path == nullptr ? "/usr/bin:/bin" : path}, {"RESTIC_PASSWORD_COMMAND", "echo stolen"}};
  place.patience = {.lock = milliseconds(2'000),
                    .lock_retry = milliseconds(1),
                    .lock_unchanged = milliseconds(0),
                    .interrupt = milliseconds(2'000),
                    .tick = milliseconds(20)};
  return place;
}

std::vector<FakeRestic::Call> FakeRestic::calls() const {
  std::vector<Call> calls;
  for (int n = 0; fs::exists(directory_ / fmt::format("subcommand.{}", n)); ++n) {
    Call call;
    call.subcommand = read(directory_ / fmt::format("subcommand.{}", n));
    call.arguments = split(read(directory_ / fmt::format("arguments.{}", n)));
    for (const std::string& pair : split(read(directory_ / fmt::format("environment.{}", n)))) {
      const auto equals = pair.find('=');
      call.environment[pair.substr(0, equals)] = pair.substr(equals + 1);
    }
    calls.push_back(std::move(call));
  }
  return calls;
}

std::vector<std::string> FakeRestic::subcommands() const {
  std::vector<std::string> names;
  for (const Call& call : calls()) names.push_back(call.subcommand);
  return names;
}

std::string summary_line(const std::string& snapshot, int files) {
  return fmt::format(
      "{{\"message_type\":\"summary\",\"files_new\":{0},\"files_changed\":0,\"files_unmodified\":0,\"dirs_new\":5,"
      "\"data_added\":529874,\"total_files_processed\":{0},\"total_bytes_processed\":10485766,"
      "\"total_duration\":61.25,\"snapshot_id\":\"{1}\"}}\n",
      files, snapshot);
}

}  // namespace stash::test
