#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

/// What the streams of pods/exec say about a program that was run in a container.
namespace stash::kube {

struct ExecOutcome {
  int exit_code = 0;
  std::string said;  ///< the end of what it wrote to standard error or, when that is nothing, to standard output
  friend bool operator==(const ExecOutcome&, const ExecOutcome&) = default;
};

/// The exit code in the metav1.Status that ends the stream. Error invalid: the program was not run, or the text is no
/// Status; the server's sentence says why.
/// https://github.com/kubernetes/apimachinery/blob/master/pkg/util/remotecommand/constants.go
Result<int> decode_exec_status(std::string_view status, std::string_view doing);

/// Keeps the end of an output of any length, in bounded memory.
class LastWords {
 public:
  static constexpr std::size_t kMost = 1024;  ///< bytes
  void append(std::string_view bytes);
  /// As one line that can stand in a status and on a terminal: no control characters, valid UTF-8, single spaces.
  std::string line() const;

 private:
  std::string kept_;
  bool cut_ = false;
};

}  // namespace stash::kube
