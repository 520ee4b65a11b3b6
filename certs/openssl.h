#pragma once
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

/// Owners and PEM conversions for OpenSSL's types; for this room only.
namespace stash::certs::ossl {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;

/// OpenSSL's oldest queued error; empties this thread's queue.
Error last_error(std::string_view doing);

BioPtr bio_of(std::string_view text);
std::string text_of(BIO* bio);

/// nullptr when it does not parse. No passphrase is ever asked for.
X509Ptr read_certificate(std::string_view pem);
KeyPtr read_key(std::string_view pem);

}  // namespace stash::certs::ossl
