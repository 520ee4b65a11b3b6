#include "unit/support/lax_openssl.h"

#include <openssl/conf.h>
#include <openssl/ssl.h>

#include <fstream>
#include <stdexcept>

#include "unit/support/temporary_directory.h"

namespace stash::test {

// Every context reads these settings when it is made, whoever makes it.
LaxOpenssl::LaxOpenssl() {
  OPENSSL_init_ssl(0, nullptr);  // reads its own file now, and not over ours later
  const TemporaryDirectory directory;
  const std::string path = directory / "openssl.cnf";
  std::ofstream(path) << "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = lax\n"
                         "[lax]\nMinProtocol = TLSv1\nCipherString = ALL:@SECLEVEL=0\n";
  if (CONF_modules_load_file(path.c_str(), nullptr, 0) != 1) throw std::runtime_error("OpenSSL refuses its settings");
}

LaxOpenssl::~LaxOpenssl() { CONF_modules_unload(0); }

}  // namespace stash::test
