#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

/// How far a BackupSession or RestoreSession is, as its status says.
namespace stash::cli {

struct Progress {
  std::string phase;      ///< "" until the controller has seen it
  std::string hosts;      ///< "1/3"
  std::string percent;    ///< "42%"
  std::string bytes;      ///< "1.500 GiB / 3.000 GiB"
  std::string remaining;  ///< "1m10s"
  std::string step;       ///< what is being done now
  std::string attempt;    ///< "attempt 2 of 5" of a restore that is tried again
  std::string reason;     ///< why it has not succeeded, in one word
  std::string message;    ///< why it waits, or how it ended, in a sentence
  friend bool operator==(const Progress&, const Progress&) = default;
};

/// From status.progress, status.reason and the conditions. Of sessions that another Stash has served, which tell less,
/// the hosts are counted.
Progress progress_of(const Json& session);

/// "host-0: wrong password (HostFailed)"; "" when nothing is told.
std::string why(const Progress& progress);

/// 0 to 1; nullopt when nothing tells.
std::optional<double> fraction_of(const Progress& progress);

/// One line without its end: "[#######.......]  42%  1/3 hosts  1.500 GiB / 3.000 GiB  1m10s left  restic backup". At
/// most `columns` columns.
std::string progress_line(const Progress& progress, std::size_t columns);

/// What there is to say where nothing can be drawn over: the same without the bar and without what changes every
/// second.
std::string progress_note(const Progress& progress);

/// True of the phases in which a session ends. A RestoreSession that Failed may still be tried again by its pod.
bool is_over(std::string_view phase);

/// True when the session will not go on by itself: no pod has an attempt left (docs/restore.md, "Phases"), or nobody is
/// to wait for it, as past spec.timeOut.
bool has_ended(const Json& session);

/// How a session ended, a line for each host: phase, snapshots, duration, error. Ends in a newline; "" without hosts.
std::string render_hosts(const Json& session, bool colours);

/// One sentence: "BackupSession demo/web-1 Failed: host-0: ...".
std::string verdict(const Json& session);

}  // namespace stash::cli
