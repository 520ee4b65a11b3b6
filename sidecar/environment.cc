#include "sidecar/environment.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace stash::sidecar {

Environment own_environment() {
  Environment pairs;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) pairs.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return pairs;
}

std::string variable(const Environment& environment, std::string_view name) {
  const auto found = std::ranges::find(environment, name, &std::pair<std::string, std::string>::first);
  return found == environment.end() ? "" : found->second;
}

Result<PodIdentity> identity_from(const Environment& environment, const std::string& fallback_namespace) {
  PodIdentity pod{variable(environment, "POD_NAME"), variable(environment, "POD_UID"),
                  variable(environment, "POD_NAMESPACE"), variable(environment, "NODE_NAME")};
  if (pod.ns.empty()) pod.ns = variable(environment, "KUBE_NAMESPACE");
  if (pod.ns.empty()) pod.ns = fallback_namespace;
  for (const auto& [name, value] : {std::pair("POD_NAME", pod.name), std::pair("POD_UID", pod.uid)}) {
    if (value.empty()) return fail(ErrorCode::invalid, fmt::format("the environment variable {} is not set", name));
  }
  return pod;
}

bool host_name_is(const std::string& pod_name) {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return false;
  // The kernel cuts at 64 bytes, the kubelet at 63.
  const std::string_view host(name.data());
  return !host.empty() && (pod_name == host || (host.size() >= 60 && pod_name.starts_with(host)));
}

}  // namespace stash::sidecar
