#pragma once

namespace stash::test {

/// While it lives, OpenSSL by itself refuses no version and no cipher of TLS that it knows to whoever makes a context
/// anew. What is still refused is refused by us.
class LaxOpenssl {
 public:
  LaxOpenssl();
  ~LaxOpenssl();
  LaxOpenssl(const LaxOpenssl&) = delete;
  LaxOpenssl& operator=(const LaxOpenssl&) = delete;
};

}  // namespace stash::test
