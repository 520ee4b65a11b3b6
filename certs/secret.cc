#include "certs/secret.h"

#include "base/base64.h"

namespace stash::certs {

SecretData data_of_secret(const Json& secret) {
  SecretData data;
  for (const auto& [key, value] : object_at(secret, {"data"}).items()) {
    const auto* text = value.get_ptr<const std::string*>();
    if (text == nullptr) continue;
    if (auto bytes = decode_base64(*text)) data.emplace(key, *std::move(bytes));
  }
  return data;
}

Json encode_secret_data(const SecretData& data) {
  Json encoded = Json::object();
  for (const auto& [key, bytes] : data) encoded[key] = encode_base64(bytes);
  return encoded;
}

}  // namespace stash::certs
