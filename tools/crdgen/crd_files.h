#pragma once
#include <string>
#include <vector>

namespace stash::crdgen {

struct CrdFile {
  std::string name;  ///< "repositories.yaml"
  std::string text;
};

enum class Form {
  chart,  ///< for helm: behind crds.install, and kept on uninstall, for deleting a CRD deletes all its objects
  plain,  ///< for kubectl apply
};

/// The CRDs of all our kinds, from the tables in api/.
std::vector<CrdFile> crd_files(Form form);

}  // namespace stash::crdgen
