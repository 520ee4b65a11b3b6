#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tools/crdgen/crd_files.h"
#include "tools/crdgen/reference.h"

namespace {

bool write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  if (file.flush()) return true;
  std::cerr << "crdgen: cannot write " << path << "\n";
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Writes the CustomResourceDefinitions of Stash, and the reference of their fields."};
  std::string directory, reference;
  bool plain = false;
  app.add_option("--output-directory", directory, "Write one file per kind here instead of all to standard output");
  app.add_flag("--plain", plain, "For kubectl apply: without the template braces of the Helm chart");
  app.add_option("--reference", reference, "Write the reference of all fields (Markdown) to this file, and no CRDs");
  CLI11_PARSE(app, argc, argv);

  if (!reference.empty()) return write_file(reference, stash::crdgen::reference_document()) ? 0 : 1;
  std::error_code error;
  if (!directory.empty()) std::filesystem::create_directories(directory, error);
  for (const auto& [name, text] :
       stash::crdgen::crd_files(plain ? stash::crdgen::Form::plain : stash::crdgen::Form::chart)) {
    if (directory.empty()) {
      std::cout << "---\n" << text;
      continue;
    }
    if (!write_file(std::filesystem::path(directory) / name, text)) return 1;
  }
  return 0;
}
