#pragma once
#include <memory>
#include <string>

#include "unit/base/test_certificate.h"

namespace stash::test {

/// What a server does with its only connection, once it has read the head of a request.
struct TlsStory {
  int most_version = 0;         ///< of TLS, as TLS1_1_VERSION; 0: the newest
  std::string answer;           ///< sent as it is
  bool renegotiates = false;    ///< asks for another handshake before it answers
  bool takes_its_leave = true;  ///< with a close_notify, before the connection ends
};

/// A TLS server on a free port of 127.0.0.1 that serves one connection, without caring what it serves.
class TlsScript {
 public:
  TlsScript(const TestCertificate& own, TlsStory story);
  ~TlsScript();
  TlsScript(const TlsScript&) = delete;
  TlsScript& operator=(const TlsScript&) = delete;

  std::string url() const;
  /// "TLSv1.2" once the connection is over; "" when there was no handshake.
  std::string version();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stash::test
