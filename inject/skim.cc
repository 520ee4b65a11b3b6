#include "inject/skim.h"

#include "api/names.h"

namespace stash::inject {
namespace {

namespace names = api::names;

const Skim kMetadata{.leave_out = {"managedFields"}, .members = {{"annotations", {.only_prefix = names::kGroup}}}};
const Skim kContainer{.leave_out = {"args", "command", "env", "envFrom", "lifecycle", "livenessProbe", "ports",
                                    "readinessProbe", "startupProbe"},
                      .unless_named = {names::kSidecar, names::kInitContainer}};

const Skim kOfUpdate{.leave_out = {"status"}, .members = {{"metadata", kMetadata}}};
const Skim kOfCreate{
    .leave_out = {"status"},
    .members = {
        {"metadata", kMetadata},
        {"spec",
         {.members = {
              {"template",
               {.members = {{"metadata", kMetadata},
                            {"spec", {.members = {{"containers", kContainer}, {"initContainers", kContainer}}}}}}}}}}}};

}  // namespace

const Skim& unread(bool is_update) { return is_update ? kOfUpdate : kOfCreate; }

}  // namespace stash::inject
