#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/repository.h"
#include "controller/job_pod.h"
#include "controller/obstacle.h"
#include "controller/plan.h"
#include "controller/status_draft.h"
#include "inject/settings.h"

/// spec.wipeOut of a Repository: when it is deleted, a Job in its namespace removes the data first.
namespace stash::controller {

/// What is known about the end of one Repository.
struct WipeOutFacts {
  Json job;                        ///< of wipe_out_job_name; null when there is none
  std::string report;              ///< the last words of its pod
  std::string trouble;             ///< why that pod does not run: "container stash: ImagePullBackOff"
  std::vector<std::string> users;  ///< "BackupConfiguration demo/web": who still backs up there, or restores from it
  std::string same_place;          ///< name of another Repository that keeps its snapshots there; "" for none
  Presence secret = Presence::unknown;
  bool namespace_is_going = false;           ///< then nothing can be created there any more
  std::string refused;                       ///< an earlier try in this pass: what the API server refused for good
  std::optional<TimePoint> server_time;      ///< by the API server's clock
  std::size_t awaiting_wipe_out = 0;         ///< of the whole cluster: awaits_wipe_out
  std::size_t wiped_at_once = 0;             ///< how many may; 0: any number
  Json resources = JobResources().wipe_out;  ///< of the Job's container
};

/// Local volumes and b2 are refused at admission, as in Stash; what got around that is not wiped either.
bool can_be_wiped(const api::Repository& repository);
/// And it has the finalizer that lets that happen when it is deleted.
bool has_data_to_wipe(const api::Repository& repository);
std::string wipe_out_job_name(const std::string& repository);
/// Needs no rights at all: what it has to know is in its environment, and the Secret is mounted. `object` is the
/// Repository. By `server_time` it finds out whether its node's clock is so far ahead that living locks look stale.
Json wipe_out_job(const api::Repository& repository, const Json& object, const inject::Settings& settings,
                  const Json& resources, std::optional<TimePoint> server_time = std::nullopt);

/// How the container of its pod has ended, in a sentence; "" when that is not told, or not yet. With cgroup version 2
/// the kernel ends our program together with a restic that takes too much memory, and it cannot say so.
std::string last_words(const Json& pod);

/// The finalizer stands as long as wipeOut does, and only there: a dead operator holds up no other deletion.
void keep_wipe_out_finalizer(Plan& plan, const api::Repository& repository, const Json& object);

/// Of one that is deleted and cannot be read: without wipeOut nothing but finalizers holds it. False while it stays.
bool let_go_unreadable(Plan& plan, const Json& object);

/// Does this plan make the Job? What it removes cannot be brought back.
bool begins_wipe_out(const Plan& plan);

/// Everything about a Repository that is being deleted: the Job, what came of it, and in the end the release.
void plan_wipe_out(Plan& plan, StatusDraft& status, const api::Repository& repository, const Json& object,
                   const WipeOutFacts& facts, const inject::Settings& settings, TimePoint now);

}  // namespace stash::controller
