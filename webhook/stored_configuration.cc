#include "webhook/stored_configuration.h"

#include "api/codec.h"

namespace stash::webhook {
namespace {

// As long as the object itself, and the conditions are longer.
constexpr std::string_view kKubectlsCopy = "kubectl.kubernetes.io/last-applied-configuration";

void drop(Json& object, const char* parent, std::string_view child) {
  const auto found = object.find(parent);
  if (found != object.end() && found->is_object()) found->erase(std::string(child));
}

std::string what_reviews_need(Json object) {
  drop(object, "status", "conditions");
  if (const auto metadata = object.find("metadata"); metadata != object.end() && metadata->is_object()) {
    drop(*metadata, "annotations", kKubectlsCopy);
  }
  return dump_json(object);
}

}  // namespace

Result<StoredConfiguration> StoredConfiguration::of(const Json& object) {
  TRY(const api::BackupConfiguration decoded, api::decode<api::BackupConfiguration>(object));
  StoredConfiguration stored;
  if (decoded.spec.target) stored.target_ = decoded.spec.target->ref;
  stored.repository_ = decoded.spec.repository;
  stored.being_deleted_ = decoded.metadata.being_deleted;
  stored.text_ = what_reviews_need(object);
  stored.text_.shrink_to_fit();
  return stored;
}

Result<api::BackupConfiguration> StoredConfiguration::decoded() const {
  TRY(const Json object, parse_json(text_));
  return api::decode<api::BackupConfiguration>(object);
}

}  // namespace stash::webhook
