#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace stash::test {

/// One connection to 127.0.0.1, with TLS or without, that sends exactly the bytes it is told to. Every wait ends after
/// `patience` with a failed test instead of a hang.
class HttpsClient {
 public:
  struct Answer {
    int status = 0;
    std::string head;  ///< status line and headers as they came
    std::string body;
  };
  static constexpr std::chrono::seconds kPatience{20};

  /// `ca_pem` empty: plain TCP. Throws when it cannot connect; see `handshaken` for TLS,
  /// whose version is limited by `most_tls_version` (TLS1_2_VERSION and its like).
  HttpsClient(int port, const std::string& ca_pem = "", int most_tls_version = 0);
  ~HttpsClient();
  HttpsClient(HttpsClient&&) noexcept;

  bool handshaken() const;
  std::string peer_fingerprint() const;  ///< SHA-256 in hex of the certificate that the server presented
  bool send(std::string_view bytes);     ///< false when the server has closed
  /// nullopt when the server closed before a whole answer.
  std::optional<Answer> read_answer();
  std::optional<Answer> post(std::string_view path, std::string_view body, std::string_view more_headers = "");
  std::optional<Answer> get(std::string_view path);
  /// Blocks until the server closes; false when it does not within `kPatience`.
  bool closed_by_server();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stash::test
