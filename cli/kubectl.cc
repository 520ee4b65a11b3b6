#include "cli/kubectl.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/text.h"

namespace stash::cli {

namespace {

// A `get --raw` is one line, whatever its length.
constexpr std::size_t kMaxLine = 256u << 20;

bool is_an_error(std::string_view line) {
  return line.starts_with("Error from server") || line.starts_with("error:") || line.starts_with("Unable to connect") ||
         line.starts_with("The connection to the server") || line.starts_with("Error in configuration") ||
         line.starts_with("command terminated") ||
         (line.size() > 5 && (line[0] == 'E' || line[0] == 'I') && line[1] >= '0' && line[1] <= '9');
}

/// Short names and plurals may be those of other groups too.
std::string argument_of(const api::Resource& kind) {
  return fmt::format("{}{}{}", kind.plural, kind.group.empty() ? "" : ".", kind.group);
}

Error explained(Error error, const api::Resource& kind, const std::string& name, const std::string& ns) {
  if (error.code != ErrorCode::not_found) return error;
  if (is_unknown_kind(error)) {
    error.message += "; is Stash installed? See: kubectl stash doctor";
    return error;
  }
  const std::string place = ns.empty() ? "" : " in namespace " + ns;
  error.message = fmt::format("there is no {} {}{}; see: kubectl get {} {}", kind.kind, name, place, argument_of(kind),
                              ns.empty() ? "" : "-n " + ns);
  if (error.message.ends_with(' ')) error.message.pop_back();
  return error;
}

}  // namespace

Result<std::string> Kubectl::call(const std::vector<std::string>& arguments, const std::string& input, int output_fd) {
  ProcessSpec spec;
  spec.argv = {place_.program};
  if (!place_.kubeconfig.empty()) spec.argv.push_back("--kubeconfig=" + place_.kubeconfig);
  if (!place_.context.empty()) spec.argv.push_back("--context=" + place_.context);
  spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
  spec.env = place_.env;
  spec.tick = std::chrono::milliseconds(200);
  spec.grace = std::chrono::milliseconds(3'000);
  spec.max_line = kMaxLine;
  spec.input = input;
  spec.output_fd = output_fd;
  // What a program in a container says is told once, as the error.
  const bool is_exec = !arguments.empty() && arguments.front() == "exec";
  spec.on_error_line = [is_exec](std::string_view line) {
    if (!is_exec && !line.empty() && !is_an_error(line))
      std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  };
  std::string output;
  const auto exit = run_process(
      spec, [&output](std::string_view line) { output.append(line).append("\n"); }, [] { return !stop_requested(); });
  if (!exit) {
    if (exit.error().code == ErrorCode::not_found) {
      return fail(ErrorCode::invalid,
                  place_.program + " is not in PATH: kubectl stash talks to the cluster through it");
    }
    return std::unexpected(exit.error());
  }
  if (exit->stopped_by_us) return fail(ErrorCode::cancelled, "stopped");
  if (exit->exit_code != 0) return std::unexpected(error_of_kubectl(exit->stderr_tail, exit->exit_code));
  return output;
}

Result<std::string> Kubectl::run(const std::vector<std::string>& arguments, const std::string& input) {
  return call(arguments, input, -1);
}

Result<void> Kubectl::run_into(const std::vector<std::string>& arguments, int output_fd) {
  TRY_VOID(call(arguments, "", output_fd));
  return {};
}

Result<Json> Kubectl::run_json(const std::vector<std::string>& arguments, const std::string& input) {
  TRY(const std::string output, run(arguments, input));
  return with_context(parse_json(output), "reading what kubectl printed");
}

Result<std::string> Kubectl::ns() {
  if (!place_.ns.empty()) return place_.ns;
  if (ns_.empty()) {
    TRY(const std::string output, run({"config", "view", "--minify", "-o", "jsonpath={..namespace}"}));
    ns_ = trimmed(output).empty() ? "default" : std::string(trimmed(output));
  }
  return ns_;
}

Result<Json> Kubectl::get(const api::Resource& kind, const std::string& name, const std::string& ns) {
  // Nothing has such a name, and kubectl would take it for a kind and a name.
  if (name.empty() || name.contains('/')) {
    return std::unexpected(explained({ErrorCode::not_found, fmt::format("\"{}\" is no name", name)}, kind, name, ns));
  }
  std::vector<std::string> arguments{"get", argument_of(kind), "-o", "json"};
  if (!ns.empty()) arguments.insert(arguments.end(), {"-n", ns});
  // What somebody else wrote into an object must not become a flag of kubectl.
  arguments.insert(arguments.end(), {"--", name});
  auto found = run_json(arguments);
  if (!found) found.error() = explained(std::move(found.error()), kind, name, ns);
  return found;
}

Result<Json> Kubectl::list(const api::Resource& kind, const std::string& ns) { return list(argument_of(kind), ns); }

Result<Json> Kubectl::list(const std::string& kind, const std::string& ns, const std::string& selector) {
  std::vector<std::string> arguments{"get", kind, "-o", "json"};
  if (ns.empty()) {
    arguments.emplace_back("-A");
  } else {
    arguments.insert(arguments.end(), {"-n", ns});
  }
  if (!selector.empty()) arguments.insert(arguments.end(), {"-l", selector});
  auto list = run_json(arguments);
  if (!list && list.error().code == ErrorCode::not_found) return Json::array();
  if (!list) return std::unexpected(list.error());
  return array_at(*list, {"items"});
}

Result<Json> Kubectl::create(const Json& object) {
  return run_json({"create", "-f", "-", "-o", "json"}, dump_json(object));
}

Result<Json> Kubectl::patch(const api::Resource& kind, const std::string& name, const std::string& ns,
                            const Json& merge) {
  auto patched = run_json(
      {"patch", argument_of(kind), "-n", ns, "--type=merge", "-p", dump_json(merge), "-o", "json", "--", name});
  if (!patched) patched.error() = explained(std::move(patched.error()), kind, name, ns);
  return patched;
}

}  // namespace stash::cli
