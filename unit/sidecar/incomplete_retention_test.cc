#include "sidecar/incomplete_retention.h"

#include <catch2/catch.hpp>

namespace stash::sidecar {
namespace {

Snapshot taken(const std::string& id, const std::string& clock, const std::string& host = "host-0",
               std::vector<std::string> paths = {"/data"}) {
  return {.id = id,
          .short_id = id,
          .time = "2026-11-27T" + clock + "Z",
          .host = host,
          .paths = std::move(paths),
          .tags = {"stash-session=" + id}};
}

Snapshot lacking(Snapshot snapshot) {
  snapshot.tags.emplace_back(kIncompleteTag);
  return snapshot;
}

TEST_CASE("an incomplete snapshot goes when a complete one of its host and paths is newer",
          "[sidecar][incomplete_retention][F42][I11]") {
  CHECK(spare_complete({taken("a", "22:00:00"), lacking(taken("b", "23:00:00")), taken("c", "23:30:00")}) ==
        IncompleteRetention{.outdated = {"b"}});
  CHECK(spare_complete({lacking(taken("b", "23:00:00")), taken("c", "23:30:00", "host-1"),
                        taken("d", "23:30:00", "host-0", {"/other"})}) == IncompleteRetention{});
}

TEST_CASE("the last complete snapshot before incomplete ones is kept by its tag",
          "[sidecar][incomplete_retention][F42][I11]") {
  CHECK(spare_complete({taken("a", "10:00:00"), taken("b", "11:00:00"), lacking(taken("c", "12:00:00")),
                        lacking(taken("d", "13:00:00")), taken("e", "13:00:00", "host-1")}) ==
        IncompleteRetention{.keep_tags = {"stash-session=b"}});
  // In whatever order the paths were given.
  CHECK(spare_complete({taken("a", "10:00:00", "host-0", {"/x", "/y"}),
                        lacking(taken("b", "11:00:00", "host-0", {"/y", "/x"}))}) ==
        IncompleteRetention{.keep_tags = {"stash-session=a"}});
}

TEST_CASE("the hosts whose last complete snapshot has no tag, as another program made it, are told from the others",
          "[sidecar][incomplete_retention][F42][I11]") {
  Snapshot foreign = taken("a", "10:00:00");
  foreign.tags = {};
  CHECK(spare_complete({foreign, lacking(taken("b", "11:00:00"))}) == IncompleteRetention{.unprotected = {"host-0"}});
  CHECK(spare_complete({foreign, lacking(taken("b", "11:00:00")), taken("c", "11:00:00", "host-1")}) ==
        IncompleteRetention{.unprotected = {"host-0"}, .others = {"host-1"}});
}

TEST_CASE("an incomplete snapshot with a tag that the policy keeps stays", "[sidecar][incomplete_retention]") {
  Snapshot rescued = lacking(taken("a", "10:00:00"));
  rescued.tags.insert(rescued.tags.end(), {"important", "disk"});
  const std::vector<Snapshot> all{rescued, taken("b", "11:00:00")};
  CHECK(spare_complete(all, {"important"}).outdated.empty());
  CHECK(spare_complete(all, {"other", "disk,important"}).outdated.empty());
  CHECK(spare_complete(all, {"important,absent"}).outdated.size() == 1);
}

}  // namespace
}  // namespace stash::sidecar
