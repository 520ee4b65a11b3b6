#include "sidecar/cache_cap.h"

#include <algorithm>

#include "api/quantity.h"

namespace stash::sidecar {
namespace {

constexpr long double kUnstated = 2.0L * (1 << 30);
constexpr long double kInMemory = kUnstated / 8;

}  // namespace

std::uint64_t cache_cap(const api::TempDir& temp_dir, const api::RuntimeSettings& runtime) {
  const bool in_memory = temp_dir.medium == "Memory";
  long double cap = in_memory ? kInMemory : kUnstated;
  bool stated = false;
  const auto allow = [&](const Json* text, long double share) {
    const auto amount =
        text != nullptr && text->is_string() ? api::parse_quantity(text->get_ref<const std::string&>()) : std::nullopt;
    if (!amount || *amount <= 0) return;
    cap = stated ? std::min(cap, *amount * share) : *amount * share;
    stated = true;
  };
  const Json size_limit = temp_dir.size_limit;
  allow(&size_limit, 0.5L);
  allow(at(runtime.container, {"resources", "limits", in_memory ? "memory" : "ephemeral-storage"}),
        in_memory ? 0.25L : 0.5L);
  constexpr long double kMost = 1LL << 60;
  return static_cast<std::uint64_t>(std::min(cap, kMost));
}

}  // namespace stash::sidecar
