// Any text as a kubeconfig: yaml-cpp throws, recurses and shares nodes; of that nothing must come out.
#include "kube/kubeconfig.h"
#include "unit/fuzz/fuzz.h"

using namespace stash;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config = kube::decode_kubeconfig(std::string(fuzz::text_of(data, size)),
                                              [](const std::string& file) -> Result<std::string> {
                                                if (file.empty()) return fail(ErrorCode::not_found, "no such file");
                                                return "content of " + file;
                                              });
  if (config) {
    MUST(!config->server.empty());
  } else {
    MUST(!config.error().message.empty());
  }
  return 0;
}
