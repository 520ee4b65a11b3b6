#include "cli/commands.h"

#include "api/codec.h"
#include "base/yaml.h"
#include "cli/terminal.h"

namespace stash::cli {

namespace {

constexpr std::string_view kMisuse = "usage: ";

}  // namespace

std::unexpected<Error> misuse(std::string message) {
  return fail(ErrorCode::invalid, std::string(kMisuse) + std::move(message));
}
std::optional<std::string> misuse_of(const Error& error) {
  if (!error.message.starts_with(kMisuse)) return std::nullopt;
  return error.message.substr(kMisuse.size());
}

Result<api::BackupConfiguration> read_configuration(Kubectl& kubectl, const std::string& ns, const std::string& name) {
  TRY(const Json object, kubectl.get(api::kBackupConfigurations, name, ns));
  return api::decode<api::BackupConfiguration>(object);
}

bool print_report(const Json& report, const std::string& output) {
  if (output == "json") print(report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  if (output == "yaml") print(to_yaml(report));
  return output != "table";
}

}  // namespace stash::cli
