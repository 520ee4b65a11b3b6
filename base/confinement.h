#pragma once
#include <string>
#include <vector>

namespace stash {

/// What a child may write to, whatever symbolic links lead elsewhere (Landlock; needs no privilege). Everything may be
/// read. Owners, modes and times are not part of it: Landlock knows no rule for them.
/// https://docs.kernel.org/userspace-api/landlock.html
class Confinement {
 public:
  /// At and below these paths, also where other file systems are mounted there; one that does not exist is left out.
  explicit Confinement(const std::vector<std::string>& writable);
  ~Confinement();
  Confinement(const Confinement&) = delete;
  Confinement& operator=(const Confinement&) = delete;

  /// False: the kernel is older than 5.19, was built or told to do without, or takes no rule for one of the paths.
  bool possible() const { return ruleset_ >= 0; }
  /// Between fork and exec. False: errno says why.
  bool enter() const;

 private:
  void close();

  int ruleset_ = -1;
};

}  // namespace stash
