#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <catch2/catch.hpp>

using namespace stash::cli;

namespace {

Options parsed(const std::string& line) {
  Options options;
  CLI::App app;
  add_commands(app, options);
  app.parse(line);
  return options;
}

Completion completion(const std::vector<std::string>& words) {
  Options options;
  CLI::App app;
  add_commands(app, options);
  return completions(app, words,
                     [](const std::string& kind) { return std::vector<std::string>{"one-" + kind, "two"}; });
}

std::vector<std::string> completed(const std::vector<std::string>& words) { return completion(words).candidates; }

}  // namespace

TEST_CASE("flags may stand before and after names", "[cli][options]") {
  const Options options = parsed("trigger -n demo web-backup --wait=false");
  CHECK(options.names == std::vector<std::string>{"web-backup"});
  CHECK(options.ns == "demo");
  CHECK_FALSE(options.wait);
  CHECK(parsed("trigger web-backup").wait);
  CHECK_FALSE(parsed("trigger web-backup --no-wait").wait);
}

TEST_CASE("several backups are paused at once", "[cli][options]") {
  CHECK(parsed("pause a b -n demo").names == std::vector<std::string>{"a", "b"});
  CHECK(parsed("resume a -o json").output == "json");
  CHECK(parsed("preview deployment/a sts/b").names == std::vector<std::string>{"deployment/a", "sts/b"});
}

TEST_CASE("a snapshot and a time exclude one another", "[cli][options]") {
  CHECK_THROWS_AS(parsed("restore b --snapshot aa --time 2026-11-23T12:00:00Z"), CLI::ParseError);
  CHECK(parsed("restore b --snapshot aa --snapshot bb").snapshots == std::vector<std::string>{"aa", "bb"});
  CHECK(parsed("restore b --dry-run=client -o yaml").dry_run_mode == "client");
}

TEST_CASE("what is no command or no format is refused", "[cli][options]") {
  for (const char* wrong : {"", "undo", "status -o xml", "restore b --dry-run=server", "trigger", "download r"})
    CHECK_THROWS_AS(parsed(wrong), CLI::ParseError);
}

TEST_CASE("a wrong command line is told what is wrong and where to look", "[cli][options]") {
  const auto told = [](const std::vector<std::string>& words) {
    Options options;
    CLI::App app;
    add_commands(app, options);
    try {
      app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    } catch (const CLI::ParseError& problem) {
      return usage_error(app, problem, words);
    }
    return std::string("nothing");
  };
  CHECK(told({"undo"}) == "there is no command undo; see: kubectl stash --help");
  CHECK(told({"trigger"}) == "BACKUPCONFIGURATION is required; see: kubectl stash trigger --help");
  CHECK(told({"trigger", "a", "b"}) == "one BACKUPCONFIGURATION at a time; see: kubectl stash trigger --help");
  CHECK(told({"-n", "demo", "status"}) == "-n stands behind the command, as in: kubectl stash status -n");
  CHECK(told({"status", "-o", "xml"}).contains("xml not in {"));
}

TEST_CASE("every command has examples in its help", "[cli][options]") {
  Options options;
  CLI::App app;
  add_commands(app, options);
  for (const CLI::App* command : app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); })) {
    CAPTURE(command->get_name());
    CHECK(command->help().find("Examples:\n  kubectl stash " + command->get_name()) != std::string::npos);
  }
}

TEST_CASE("commands, flags, formats and names of objects are completed", "[cli][options]") {
  CHECK(completed({"re"}) == std::vector<std::string>{"resume", "restore"});
  CHECK(completed({"restore", "--sn"}) == std::vector<std::string>{"--snapshot"});
  CHECK(completed({"status", "-o", ""}) == std::vector<std::string>{"table", "json", "yaml"});
  CHECK(completed({"trigger", "o"}) == std::vector<std::string>{"one-backupconfigurations.stash.appscode.com"});
  CHECK(completed({"unlock", ""}).front() == "one-repositories.stash.appscode.com");
  CHECK(completed({"status", "-n", "t"}) == std::vector<std::string>{"two"});
  CHECK(completed({"nonsense", ""}).empty());
}

TEST_CASE("where a flag wants a value no name of an object is offered", "[cli][options]") {
  for (const char* flag : {"--snapshot", "--time", "--target", "--name", "--timeout", "--context"}) {
    CAPTURE(flag);
    CHECK(completed({"restore", flag, ""}).empty());
  }
  CHECK(completed({"restore", "--dry-run", ""}) == std::vector<std::string>{"client", "none"});
  CHECK(completed({"trigger", "--no-wait", "t"}) == std::vector<std::string>{"two"});
  CHECK(completed({"pause", "--all", "t"}) == std::vector<std::string>{"two"});
}

TEST_CASE("names of files are left to the shell", "[cli][options]") {
  for (const auto& words : {std::vector<std::string>{"preview", "-f", ""},
                            {"preview", "--filename", "we"},
                            {"download", "repo", "-d", ""},
                            {"restore", "--kubeconfig", ""}}) {
    CAPTURE(words);
    CHECK(completion(words) == Completion{{}, true});
  }
  CHECK_FALSE(completion({"preview", "-f", "web.yaml", ""}).files);
  CHECK_FALSE(completion({"restore", "--snapshot", ""}).files);
}

TEST_CASE("names are asked for where the words before say", "[cli][options]") {
  const Options place =
      place_of({"trigger", "-n", "demo", "--context", "far", "--kubeconfig=/tmp/k", "--namespace", "unfinished"});
  CHECK(place.ns == "demo");
  CHECK(place.context == "far");
  CHECK(place.kubeconfig == "/tmp/k");
}
