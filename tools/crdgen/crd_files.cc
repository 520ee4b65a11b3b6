#include "tools/crdgen/crd_files.h"

#include "api/backup_blueprint.h"
#include "api/backup_configuration.h"
#include "api/backup_session.h"
#include "api/backup_session_host.h"
#include "api/codec.h"
#include "api/repository.h"
#include "api/restore_session.h"
#include "base/yaml.h"

namespace stash::crdgen {
namespace {

CrdFile crd_file(Json crd, Form form) {
  std::string text = "# Written by crdgen from the tables in api/; change those and run `make generate`.\n";
  if (form == Form::chart) {
    crd["metadata"]["annotations"]["helm.sh/resource-policy"] = "keep";
    text += "{{- if .Values.crds.install }}\n" + to_yaml(crd) + "{{- end }}\n";
  } else {
    text += to_yaml(crd);
  }
  return {string_at(crd, {"spec", "names", "plural"}) + ".yaml", std::move(text)};
}

}  // namespace

std::vector<CrdFile> crd_files(Form form) {
  return {crd_file(api::custom_resource_definition<api::Repository>(), form),
          crd_file(api::custom_resource_definition<api::BackupConfiguration>(), form),
          crd_file(api::custom_resource_definition<api::BackupSession>(), form),
          crd_file(api::custom_resource_definition<api::BackupSessionHost>(), form),
          crd_file(api::custom_resource_definition<api::RestoreSession>(), form),
          crd_file(api::custom_resource_definition<api::BackupBlueprint>(), form)};
}

}  // namespace stash::crdgen
