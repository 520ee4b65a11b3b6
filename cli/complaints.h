#pragma once
#include <string>
#include <vector>

#include "base/json.h"

namespace stash::cli {

/// What the controller has found wrong with a BackupConfiguration or Repository.
struct Complaint {
  std::string type;     ///< of the condition
  std::string reason;   ///< one word
  std::string message;  ///< a sentence that names the remedy
  bool grave = true;    ///< backups do not run, or cannot be trusted
  friend bool operator==(const Complaint&, const Complaint&) = default;
};

/// From its conditions. One cause is told once, and Ready, which repeats the others, only when it stands alone.
std::vector<Complaint> complaints_of(const Json& object);

}  // namespace stash::cli
