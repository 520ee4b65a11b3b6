#include "certs/rotation.h"

#include <algorithm>
#include <set>

namespace stash::certs {
namespace {

using std::chrono::seconds;

constexpr seconds kLookAtLeast{5};
constexpr seconds kLookAtMost = std::chrono::hours{1};

bool valid_at(const CertificateFacts& certificate, TimePoint now) {
  return certificate.not_before <= now && now < certificate.not_after;
}

TimePoint renewal_of(const CertificateFacts& certificate) {
  return certificate.not_before + (certificate.not_after - certificate.not_before) * 2 / 3;
}

TimePoint made_at(const CertificateFacts& certificate) { return certificate.not_before + kBackdate; }

template <class Range>
std::set<std::string> as_set(const Range& range) {
  return {range.begin(), range.end()};
}

/// "" when the CA can go on signing.
std::string why_new_ca(const RotationWorld& world) {
  const SecretFacts& secret = world.secret;
  if (!secret.ca_error.empty()) return "the CA cannot be used: " + secret.ca_error;
  if (secret.cas.empty()) return "there is no CA";
  if (!secret.cas.front().is_ca) return "the certificate of the CA is none of a CA";
  if (!valid_at(secret.cas.front(), world.now)) return "the CA is not valid now";
  if (world.now >= renewal_of(secret.cas.front())) return "the CA is at two thirds of its life";
  return "";
}

/// "" when the leaf can be served, whoever of our CAs signed it.
std::string why_leaf_is_unusable(const RotationWorld& world) {
  const SecretFacts& secret = world.secret;
  if (!secret.leaf_error.empty()) return "the serving certificate cannot be used: " + secret.leaf_error;
  if (!valid_at(secret.leaf, world.now)) return "the serving certificate is not valid now";
  if (as_set(secret.leaf.dns_names) != as_set(world.wanted_dns_names)) return "the serving certificate has other names";
  const bool trusted = std::ranges::any_of(secret.cas, [&](const CertificateFacts& ca) {
    return ca.fingerprint == secret.leaf_signed_by && valid_at(ca, world.now);
  });
  return trusted ? "" : "the serving certificate is signed by no CA of ours";
}

bool published_everywhere(const std::vector<std::string>& published, const std::set<std::string>& wanted) {
  return std::ranges::all_of(published,
                             [&](const std::string& bundle) { return as_set(pem_blocks(bundle)) == wanted; });
}

bool published_everywhere(const std::vector<std::string>& published, const CertificateFacts& ca) {
  return std::ranges::all_of(published,
                             [&](const std::string& bundle) { return as_set(pem_blocks(bundle)).contains(ca.pem); });
}

void add_reason(RotationPlan& plan, std::string_view reason) {
  if (!plan.reason.empty()) plan.reason += "; ";
  plan.reason += reason;
}

}  // namespace

RotationPlan plan_rotation(const RotationWorld& world) {
  RotationPlan plan;
  const SecretFacts& secret = world.secret;
  TimePoint look_again = world.now + kLookAtMost;
  const auto look_at = [&](TimePoint time) { look_again = std::min(look_again, time); };

  if (const std::string why = why_new_ca(world); !why.empty()) {
    plan.make_ca = true;
    add_reason(plan, why);
  } else {
    look_at(renewal_of(secret.cas.front()));
  }

  const std::string unusable = why_leaf_is_unusable(world);
  const bool own_ca = !plan.make_ca && secret.leaf_signed_by == secret.cas.front().fingerprint;
  if (!unusable.empty()) {
    plan.make_leaf = true;
    add_reason(plan, unusable);
  } else if (plan.make_ca) {
    look_at(world.now + kPropagation);
  } else if (!own_ca) {
    const TimePoint ripe = made_at(secret.cas.front()) + kPropagation;
    plan.make_leaf = world.now >= ripe && published_everywhere(world.published, secret.cas.front());
    if (plan.make_leaf) add_reason(plan, "the serving certificate moves to the new CA");
    look_at(std::max(ripe, world.now + kPropagation));
  } else if (world.now >= renewal_of(secret.leaf)) {
    plan.make_leaf = true;
    add_reason(plan, "the serving certificate is at two thirds of its life");
  } else {
    look_at(renewal_of(secret.leaf));
  }

  std::set<std::string> bundle;
  const bool alone = own_ca && !plan.make_leaf && world.now >= made_at(secret.leaf) + kPropagation;
  for (std::size_t i = 0; i < secret.cas.size(); ++i) {
    const CertificateFacts& ca = secret.cas[i];
    const bool signs = i == 0 && !plan.make_ca;
    if (!signs && (alone || !ca.is_ca || world.now >= ca.not_after)) {
      plan.forget.push_back(ca.fingerprint);
    } else {
      bundle.insert(ca.pem);
    }
  }
  if (alone && !plan.forget.empty()) add_reason(plan, "every replica serves a certificate of the new CA");
  if (!alone && bundle.size() > 1) look_at(world.now + kPropagation);

  plan.publish = !world.published.empty() && (plan.make_ca || !published_everywhere(world.published, bundle));
  if (plan.publish && !plan.writes_secret()) add_reason(plan, "the published CA bundle is another one");
  const auto wait = std::chrono::ceil<seconds>(look_again - world.now);
  plan.look_again_in = std::clamp(wait, kLookAtLeast, kLookAtMost);
  return plan;
}

std::vector<std::string> webhook_dns_names(std::string_view service, std::string_view ns) {
  const std::string name = std::string(service) + "." + std::string(ns);
  return {name + ".svc", std::string(service), name, name + ".svc.cluster.local"};
}

std::vector<std::string> pem_blocks(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  std::vector<std::string> blocks;
  while (true) {
    const auto begin = text.find(kBegin);
    if (begin == std::string_view::npos) return blocks;
    const auto end = text.find(kEnd, begin + kBegin.size());
    if (end == std::string_view::npos) return blocks;
    std::string body;
    for (const char c : text.substr(begin + kBegin.size(), end - begin - kBegin.size())) {
      if (c != '\r' && c != '\n' && c != ' ' && c != '\t') body += c;
    }
    std::string block(kBegin);
    for (std::size_t at = 0; at < body.size(); at += 64) block += "\n" + body.substr(at, 64);
    block += "\n" + std::string(kEnd) + "\n";
    if (std::ranges::count(blocks, block) == 0) blocks.push_back(std::move(block));
    text.remove_prefix(end + kEnd.size());
  }
}

std::string normalise_pem(std::string_view text) {
  std::string joined;
  for (const std::string& block : pem_blocks(text)) joined += block;
  return joined;
}

}  // namespace stash::certs
