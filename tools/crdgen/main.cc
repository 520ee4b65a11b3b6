#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tools/crdgen/crd_files.h"

int main(int argc, char** argv) {
  CLI::App app{"Writes the CustomResourceDefinitions of Stash."};
  std::string directory;
  bool plain = false;
  app.add_option("--output-directory", directory, "Write one file per kind here instead of all to standard output");
  app.add_flag("--plain", plain, "For kubectl apply: without the template braces of the Helm chart");
  CLI11_PARSE(app, argc, argv);

  std::error_code error;
  if (!directory.empty()) std::filesystem::create_directories(directory, error);
  for (const auto& [name, text] :
       stash::crdgen::crd_files(plain ? stash::crdgen::Form::plain : stash::crdgen::Form::chart)) {
    if (directory.empty()) {
      std::cout << "---\n" << text;
      continue;
    }
    const auto path = std::filesystem::path(directory) / name;
    std::ofstream file(path);
    file << text;
    if (!file.flush()) {
      std::cerr << "crdgen: cannot write " << path << "\n";
      return 1;
    }
  }
  return 0;
}
