#pragma once
#include <initializer_list>
#include <string_view>

#include "cli/doctor.h"

/// What the checks of the doctor have in common. Each check says that all is well, or what is wrong.
namespace stash::cli {

using Checks = std::vector<Check>;

const Json& list_of(const DoctorWorld& world, const std::string& kind);
/// Says so when what a check needs could not be read.
bool readable(const DoctorWorld& world, std::string_view area, std::initializer_list<const char*> kinds,
              Checks& checks);
void well(Checks& checks, std::string_view area, std::string message);
void wrong(Checks& checks, Check::Level level, std::string_view area, std::string message, std::string remedy);
/// Of any namespace when `ns` is "".
const Json* find_named(const Json& list, std::string_view name, std::string_view ns = "");

void check_crds(const DoctorWorld& world, Checks& checks);
void check_programs(const DoctorWorld& world, Checks& checks);
void check_leader(const DoctorWorld& world, Checks& checks);
void check_webhook(const DoctorWorld& world, Checks& checks);
void check_certificates(const DoctorWorld& world, Checks& checks);
void check_rights(const DoctorWorld& world, Checks& checks);
void check_labels(const DoctorWorld& world, Checks& checks);
/// What the controller found out about each object.
void check_backups(const DoctorWorld& world, Checks& checks);
void check_backends(const DoctorWorld& world, Checks& checks);
void check_blueprints(const DoctorWorld& world, Checks& checks);
/// The last backups, and what restores failed.
void check_sessions(const DoctorWorld& world, Checks& checks);
void check_restores(const DoctorWorld& world, Checks& checks);
/// What nobody will finish or remove.
void check_stale(const DoctorWorld& world, Checks& checks);

}  // namespace stash::cli
