#include <catch2/catch.hpp>

#include "unit/support/objects.h"

using namespace stash;
using namespace stash::test;

TEST_CASE("what a builder gives as JSON decodes to what it builds", "[api][builders]") {
  CHECK(api::decode<api::Repository>(a_repository().being_deleted().finalizer("f").json()) ==
        a_repository().being_deleted().finalizer("f").build());
  CHECK(api::decode<api::BackupConfiguration>(a_backup_configuration().json()) == a_backup_configuration().build());
  CHECK(api::decode<api::BackupSession>(a_backup_session().stamped().json()) == a_backup_session().stamped().build());
  CHECK(api::decode<api::RestoreSession>(a_restore_session().json()) == a_restore_session().build());
}

TEST_CASE("builders give objects that are honoured in full", "[api][builders]") {
  const api::IgnoredFields none;
  CHECK(api::ignored_fields<api::Repository>(a_repository().json()) == none);
  CHECK(api::ignored_fields<api::BackupConfiguration>(a_backup_configuration().json()) == none);
  CHECK(api::ignored_fields<api::BackupSession>(a_backup_session().json()) == none);
  CHECK(api::ignored_fields<api::RestoreSession>(a_restore_session().json()) == none);
}
