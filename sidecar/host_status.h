#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "sidecar/context.h"

namespace stash::sidecar {

/// Where the entry of a host is.
struct HostPlace {
  api::Resource resource;
  api::ObjectRef ref;
  std::string subresource = "status";
};
/// In the session itself, a BackupSession or RestoreSession; `session` is raw.
HostPlace place_in(const api::Resource& resource, const Json& session);
/// In the host's own object, or, where `host` is "", in that for the upkeep.
HostPlace place_beside(const Json& session, std::string_view host);

/// The entry of one host of one session, from the claim to the result. For BackupSession and RestoreSession.
class HostStatus {
 public:
  /// `session`, of the kind `resource`, as last read; its UID is the session's, whatever a later object of that name
  /// says.
  HostStatus(Context& context, const api::Resource& resource, const Json& session, HostPlace place, std::string host,
             HostEntry entry);
  HostStatus(Context& context, const api::Resource& resource, const Json& session, std::string host, HostEntry entry)
      : HostStatus(context, resource, session, place_in(resource, session), std::move(host), std::move(entry)) {}

  const std::string& host() const { return host_; }
  const Json& session() const { return session_; }  ///< metadata only: name, namespace, uid
  api::Claim claim_now() const;                     ///< as it is written into a result

  int attempts() const { return entry_.attempts; }
  int restarts() const { return entry_.restarts; }
  bool told() const { return entry_.told; }              ///< how the snapshots came out, in this container or before
  const HookEntry& hook() const { return entry_.hook; }  ///< as last read
  const std::vector<std::string>& incomplete() const { return entry_.incomplete; }
  const std::vector<api::SnapshotStats>& chosen() const { return entry_.chosen; }

  /// One write. Error conflict: another pod has it; others as of kube::Api.
  Result<void> claim(Counted counted = Counted::no);
  /// In place of the claim, where the host is ours already: the controller may have counted our silence for long.
  /// Counted: as one restart more.
  Result<void> resume(Counted counted = Counted::no);
  /// What the next sign of life tells; one is due 10 s after the last then, or later in a session of many hosts.
  void progress(api::Progress progress) { progress_ = std::move(progress); }
  /// Writes a sign of life if the last is 30 s old. False once the session is final, deleted, or the host is not ours
  /// any more: nothing may be written then. False, too, once no sign of life has got through for api::kCutOff: what the
  /// controller makes of such a silence cannot be seen from here, so the host counts as taken away. And false once the
  /// controller has asked for an early end: then it is to be given back, or to get the result that it has.
  bool beat();
  bool lost() const { return lost_ || cut_off_; }
  bool asked_to_stop() const { return !entry_.stop.empty(); }
  const std::string& why_to_stop() const { return entry_.stop; }
  /// Reads the entry again; false when lost. An API server that cannot be reached changes nothing.
  bool look_again() { return look_again(nullptr); }

  /// Asks the controller for the exec hook `action`, over conflicts and outages, and returns the request's time.
  /// Errors: cancelled when lost or `go_on` is false; denied, invalid as of kube::Api.
  Result<std::string> request_hook(std::string_view action, const std::function<bool()>& go_on);

  /// Tells how the snapshots came out, over conflicts and outages. The session right after this write; none when its
  /// entry does not keep what was told. Errors: cancelled when lost or `go_on` is false; denied, invalid as of
  /// kube::Api.
  Result<std::optional<Json>> tell_backed_up(bool backed_up, const std::function<bool()>& go_on);

  /// Tells which snapshots a restore takes, over conflicts and outages: whoever goes on with it after us takes them
  /// too. Errors: cancelled when lost or `go_on` is false; denied, invalid as of kube::Api.
  Result<void> tell_chosen(const std::vector<api::SnapshotStats>& chosen, const std::function<bool()>& go_on);

  /// Names all snapshots of this host that lack files, for the pod that takes it after us; over conflicts and outages
  /// as long as `go_on` is true, and then with the next signs of life.
  void tell_incomplete(std::vector<std::string> snapshots, const std::function<bool()>& go_on);

  /// Writes the result, over conflicts and outages, until it is there, the claim is lost, or SIGTERM comes twice as
  /// long as a pod usually has. However long the API server was away: the write itself tests that the host is ours.
  /// Error cancelled: lost; nothing was written.
  Result<void> write_result(const api::HostStats& result);
  /// For a pod that is being stopped: Pending again, for whoever comes next, with the snapshots that lack files. One
  /// try.
  void give_back(const std::vector<std::string>& incomplete = {});

 private:
  /// Reads the session and updates the entry; false when lost. `written` is what an earlier try may have written.
  bool look_again(const api::HostStats* written);
  /// beat(), now.
  bool give_sign_of_life();

  Result<Json> patch(const Json& operations);
  struct Answer {
    std::optional<Json> object;  ///< nullopt: an earlier try had been carried out
    std::chrono::steady_clock::time_point sent;
  };
  /// Over conflicts and outages, as long as `go_on` is true, with the `operations` for the entry as last read.
  /// `is_there`, asked of that: an earlier try was carried out. Errors: cancelled when lost or `go_on` is false; others
  /// as of kube::Api.
  Result<Answer> patch_patiently(std::string_view doing, const std::function<Json()>& operations,
                                 const std::function<bool()>& go_on, const std::function<bool()>& is_there = {});
  std::unexpected<Error> not_worked_on() const;
  /// What the answer to a write of ours says about whose the host is.
  void note_answer(const Json& object);
  /// `object`, read from the place, is of our session.
  bool is_of_session(const Json& object) const;

  Context& context_;
  HostPlace place_;
  Json session_;
  std::string uid_, host_;
  HostEntry entry_;
  /// A sign of life that was sent at `sent` has got through.
  void note_written(std::chrono::steady_clock::time_point sent) { last_beat_ = last_written_ = sent; }

  std::chrono::steady_clock::time_point last_beat_;     ///< when the last one was tried
  std::chrono::steady_clock::time_point last_written_;  ///< when the last one was sent that got through
  bool lost_ = false, cut_off_ = false, written_before_ = false;
  std::optional<api::Progress> progress_, told_progress_;
  std::vector<std::string> incomplete_;  ///< to be told; empty once it is
  std::chrono::seconds progress_pause_;
};

}  // namespace stash::sidecar
