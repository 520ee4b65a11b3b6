#include "webhook/protect.h"

#include <catch2/catch.hpp>

#include "unit/support/objects.h"
#include "unit/support/review.h"
#include "webhook/index.h"

namespace {

using namespace stash;
using namespace stash::webhook;
using namespace stash::test;
using Names = std::vector<std::string>;

Review a_deletion(const std::string& kind = "Repository", const std::string& group = "stash.appscode.com") {
  Review review;
  review.group = group;
  review.kind = kind;
  review.ns = "demo";
  review.operation = "DELETE";
  review.user = "jane";
  review.uid = "u";
  review.old_object = a_repository().json();
  return review;
}

Users used_by(Names names) {
  return [names = std::move(names)](const std::string&, const std::string&) { return names; };
}

}  // namespace

TEST_CASE("the deletion of a Repository that is in use is refused, and its users named", "[webhook][protect]") {
  const Answer answer = protect(a_deletion(), used_by({"BackupConfiguration demo/app-backup"}));
  CHECK(answer.refusal ==
        "Repository demo/repo is in use by BackupConfiguration demo/app-backup; delete that first, or name another "
        "Repository there");
  const Json response = parse_json(render_answer(a_deletion(), answer)).value()["response"];
  CHECK(response["allowed"] == false);
  CHECK(response["status"] == Json({{"code", 403}, {"reason", "Forbidden"}, {"message", answer.refusal}}));
}

TEST_CASE("a Repository that nothing uses may go", "[webhook][protect]") {
  CHECK(protect(a_deletion(), used_by({})).refusal.empty());
}

TEST_CASE("the end of a namespace and garbage collection are not held up", "[webhook][protect]") {
  Review review = a_deletion();
  review.user = "system:serviceaccount:kube-system:namespace-controller";
  CHECK(protect(review, used_by({"BackupConfiguration demo/app-backup"})).refusal.empty());
}

TEST_CASE("the deletion of anything else is never refused", "[webhook][protect]") {
  const Users users = used_by({"BackupConfiguration demo/app-backup"});
  CHECK(protect(a_deletion("BackupConfiguration"), users).refusal.empty());
  CHECK(protect(a_deletion("Repository", "elsewhere"), users).refusal.empty());
  // Even if something went wrong: a workload is admitted.
  const Review workload = a_deletion("Deployment", "apps");
  CHECK(parse_json(render_answer(workload, {.refusal = "x"})).value()["response"]["allowed"] == true);
}

TEST_CASE("many users are counted, not all named", "[webhook][protect]") {
  const auto answer = protect(a_deletion(), used_by({"a", "b", "c", "d", "e", "f", "g"}));
  CHECK(answer.refusal.find("a, b, c, d, e and 2 more;") != std::string::npos);
}

TEST_CASE("users of a Repository are its BackupConfigurations and unfinished RestoreSessions", "[webhook][protect]") {
  Index index;
  const auto put = [&](const api::Resource& resource, const Json& object) {
    index.change(resource, api::meta_of(object).ref(), &object);
  };
  put(api::kBackupConfigurations, a_backup_configuration("a").json());
  put(api::kBackupConfigurations, a_backup_configuration("elsewhere").repository("other").json());
  put(api::kBackupConfigurations, a_backup_configuration("going").being_deleted().json());
  put(api::kRestoreSessions, a_restore_session("new").json());
  put(api::kRestoreSessions, a_restore_session("running").phase("Running").json());
  put(api::kRestoreSessions, a_restore_session("done").phase("Succeeded").json());
  put(api::kRestoreSessions, a_restore_session("failed").phase("Failed").json());
  CHECK(index.users_of("demo", "repo") ==
        Names{"BackupConfiguration demo/a", "RestoreSession demo/new", "RestoreSession demo/running"});
  CHECK(index.users_of("nowhere", "repo").empty());
}
