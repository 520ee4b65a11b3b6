#pragma once
#include <memory>
#include <string>
#include <string_view>

namespace stash::kube {

/// Keeps texts that are much alike, as the objects of one kind are, in a small part of their size: compressed (zlib's
/// deflate) with the first of them as the dictionary of all. Thread-safe.
class Packer {
 public:
  Packer();
  ~Packer();
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;

  std::string pack(std::string_view text);
  /// What pack() of this Packer was given. Anything else is a bug of ours, and ends in std::logic_error.
  std::string unpack(std::string_view packed) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stash::kube
