#pragma once
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace stash {

/// A self-signed P-256 certificate for one DNS name or address; it is its own CA.
struct TestCertificate {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  std::unique_ptr<X509, decltype(&X509_free)> x509{X509_new(), X509_free};

  explicit TestCertificate(const std::string& alternative_name) {
    X509_set_version(x509.get(), 2);
    static long serial = 0;
    ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x509.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(x509.get()), 3'600);
    X509_set_pubkey(x509.get(), key.get());
    const std::string common = "test " + std::to_string(serial);
    X509_NAME* name = X509_get_subject_name(x509.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1,
                               0);
    X509_set_issuer_name(x509.get(), name);
    extend(NID_basic_constraints, "critical,CA:TRUE");
    extend(NID_subject_alt_name, alternative_name.c_str());
    X509_sign(x509.get(), key.get(), EVP_sha256());
  }

  std::string pem() const {
    return text([this](BIO* bio) { PEM_write_bio_X509(bio, x509.get()); });
  }
  std::string key_pem() const {
    return text([this](BIO* bio) { PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  }

 private:
  void extend(int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, x509.get(), x509.get(), nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
    X509_add_ext(x509.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }
  template <class F>
  static std::string text(F&& write) {
    BIO* bio = BIO_new(BIO_s_mem());
    write(bio);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio, &bytes);
    std::string result(bytes, static_cast<std::size_t>(size));
    BIO_free(bio);
    return result;
  }
};

}  // namespace stash
