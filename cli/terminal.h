#pragma once
#include <string>
#include <string_view>

#include "cli/progress.h"

namespace stash::cli {

/// Standard output is a terminal, and neither NO_COLOR (https://no-color.org) nor TERM=dumb says otherwise.
bool wants_colours();

/// A line on standard error that is drawn over where that is a terminal. Elsewhere a line is written each time that
/// something worth telling changes.
class ProgressDisplay {
 public:
  ProgressDisplay();
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  void show(const Progress& progress);
  void clear();

 private:
  bool terminal_;
  std::string last_;
  bool drawn_ = false;
};

void print(std::string_view text);         ///< to standard output
void say(std::string_view line);           ///< a line to standard error
void complain(std::string_view sentence);  ///< "error: ..." to standard error

}  // namespace stash::cli
