#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "base/http.h"
#include "base/time.h"
#include "controller/session_metrics.h"
#include "kube/term.h"

namespace stash::controller {

/// What is to be pushed. Workers put it here and go on; one thread of its own sends it, best effort. Of one group only
/// the latest counts. put() and clean_up_soon() are thread-safe and never wait for the network.
class PushOutbox {
 public:
  /// An empty URL: nothing is pushed.
  PushOutbox(std::string pushgateway_url, const Clock& clock);

  /// What has been sent already is not sent again.
  void put(const PushedGroup& group, std::string text);
  /// Something was deleted: its groups shall go.
  void clean_up_soon();

  /// Sends until `term` is over; ends within about a second. `living` is asked before groups are deleted, here or
  /// there.
  void run(const std::function<Living()>& living, const kube::Term& term);

  /// One round of it: what is due now, in a few requests of at most five seconds each; the first that fails ends it.
  /// Returns whether all went well.
  bool send(HttpClient& client, const std::function<Living()>& living);

  std::size_t waiting() const;  ///< groups that are not sent yet

 private:
  bool send_groups(HttpClient& client);
  bool clean_up(HttpClient& client, const Living& living);

  const std::string url_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<PushedGroup, std::string> waiting_, sent_;
  bool dirty_ = true;  ///< stale groups may be there, as after an outage of ours
};

}  // namespace stash::controller
