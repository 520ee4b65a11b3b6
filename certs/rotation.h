#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certs/facts.h"

namespace stash::certs {

inline constexpr std::chrono::hours kCaLifetime{365 * 24};
inline constexpr std::chrono::hours kLeafLifetime{30 * 24};
/// Certificates are valid from that long before they were made, because clocks differ.
inline constexpr std::chrono::hours kBackdate{1};

/// Everything that the decision about the webhook's certificates may look at.
struct RotationWorld {
  SecretFacts secret;  ///< of inspect_secret; ca_error and leaf_error set when there is no Secret
  std::vector<std::string> wanted_dns_names;  ///< of webhook_dns_names
  std::vector<std::string> published;         ///< PEM caBundle of each webhook entry now; "" for an empty one
  TimePoint now{};
};

/// What to do, in this order: write the Secret (make_ca, make_leaf, forget), then the bundle.
struct RotationPlan {
  bool make_ca = false;  ///< a new CA goes first in ca.crt; usable older ones stay behind it
  bool make_leaf = false;
  std::vector<std::string> forget;  ///< fingerprints of CAs to drop from ca.crt
  bool publish = false;             ///< write ca.crt, as it is after this plan, into every webhook entry
  std::string reason;               ///< for the log and an event; "" when there is nothing to do
  std::chrono::seconds look_again_in{};
  bool writes_secret() const { return make_ca || make_leaf || !forget.empty(); }
  friend bool operator==(const RotationPlan&, const RotationPlan&) = default;
};

/// Keeps a CA and a leaf that clients trust at every moment:
/// 1. A leaf or CA that cannot be used, is expired, or carries other names is replaced at once.
/// 2. A CA at 2/3 of its life gets a successor; both are published, and the old one's leaf goes on serving.
/// 3. Once the new CA is published and kPropagation old, a leaf signed by it replaces the old leaf.
/// 4. Once that leaf is kPropagation old (every replica serves it), the old CA is forgotten and unpublished.
/// A leaf at 2/3 of its life is replaced. look_again_in is never above an hour, so that a slept-through moment or a
/// wiped bundle is noticed without an event.
/// Pure and total. The plan of the world after a plan has been carried out writes nothing.
RotationPlan plan_rotation(const RotationWorld& world);

/// Time given to API servers to notice a bundle and to webhook replicas to notice a leaf.
inline constexpr std::chrono::minutes kPropagation{5};

/// Names under which API servers reach a Service: "<service>.<ns>.svc", and the shorter and longer forms.
std::vector<std::string> webhook_dns_names(std::string_view service, std::string_view ns);

/// PEM blocks of a text, one string each with "\n" line ends, whatever surrounds them dropped; duplicates too.
std::vector<std::string> pem_blocks(std::string_view text);
/// The blocks, joined.
std::string normalise_pem(std::string_view text);

}  // namespace stash::certs
