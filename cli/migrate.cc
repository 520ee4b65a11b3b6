#include "cli/migrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "api/names.h"
#include "base/text.h"
#include "cli/install_command.h"
#include "cli/not_taken_over.h"
#include "cli/object.h"
#include "cli/old_sidecar.h"
#include "inject/host_path.h"

namespace stash::cli {

namespace {

/// Commands are copied into an administrator's shell. Names of most kinds are DNS names, which the API server sees to;
/// whatever else stands in an object somebody may have written to be copied like this.
/// https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names
bool is_dns_name(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  return std::ranges::all_of(split(name, '.'), [](std::string_view label) {
    return !label.empty() && !label.starts_with('-') && !label.ends_with('-') &&
           label.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
  });
}

bool runs_old_operator(const Json& deployment) {
  return std::ranges::any_of(array_at(deployment, {"spec", "template", "spec", "containers"}),
                             [](const Json& container) { return is_old_image(string_at(container, {"image"})); });
}

/// A workload that backs itself up runs the image in its sidecar only.
bool is_old_operator(const Json& deployment) { return runs_old_operator(deployment) && !has_old_sidecar(deployment); }

bool belongs_to_old_api(const Json& object) {
  const std::string name = name_of(object);
  return name.ends_with("admission.stash.appscode.com") || name.ends_with("repositories.stash.appscode.com");
}

bool is_ours(const Json& object) {
  return string_at(object, {"metadata", "labels", api::names::kManagedByLabel}) == "Helm" &&
         string_at(object, {"metadata", "labels", "helm.sh/chart"}).starts_with("stash-") &&
         !string_at(object, {"metadata", "labels", api::names::kComponentLabel}).empty();
}

/// The Helm release that made the Deployment, "" for none that Helm 3 knows. Helm 3 writes the annotation, the chart of
/// v0.9 the label.
std::string release_of(const Json& deployment) {
  std::string release = string_at(deployment, {"metadata", "annotations", "meta.helm.sh/release-name"});
  const bool by_tiller = string_at(deployment, {"metadata", "labels", "heritage"}) == "Tiller";
  if (release.empty() && !by_tiller) release = string_at(deployment, {"metadata", "labels", "release"});
  return release;
}

/// AppsCode's documented release and its plain YAML both name it so, and with it what belongs to it.
constexpr std::string_view kDocumentedName = "stash-operator";

/// Its objects have the names that ours are to have, in a namespace that both may be in: it must be gone first, for
/// helm adopts no object of another release, and whoever makes it do so loses the object with that release.
bool is_in_the_way(const Json& deployment) {
  return name_of(deployment) == kDocumentedName || (release_of(deployment) == "stash" && ns_of(deployment) == "stash");
}

/// One that is not to get into a command.
bool has_odd_release(const Json& deployment) {
  const std::string release = release_of(deployment);
  return !release.empty() && !is_dns_name(release);
}

/// How the operator goes for good.
void remove(const Json& deployment, MigrationStep& step) {
  const std::string name = name_of(deployment), ns = ns_of(deployment), release = release_of(deployment);
  if (has_odd_release(deployment)) {
    step.by_hand.push_back(fmt::format(
        "Deployment {}: its Helm release has an odd name; uninstall it with --no-hooks, if you know what it is",
        ref_of(deployment)));
  } else if (!release.empty()) {
    step.commands.push_back(fmt::format("helm uninstall {} -n {} --no-hooks", release, ns));
  } else if (name == kDocumentedName) {
    // Its rights, too: whoever makes a ServiceAccount of that name would have them.
    step.commands.push_back(
        fmt::format("kubectl delete deployment,service,serviceaccount {} -n {} --ignore-not-found", name, ns));
    step.commands.push_back(fmt::format("kubectl delete clusterrolebinding,clusterrole {} --ignore-not-found", name));
  } else {
    step.commands.push_back(fmt::format("kubectl delete deployment {} -n {}", name, ns));
  }
}

void stop_operator(const Lists& lists, Migration& migration) {
  MigrationStep step{
      "Stop the old operator", "Two operators would write the same statuses and fight over pod templates.", {}};
  for (const Json& deployment : list_of(lists, "deployments")) {
    if (!is_old_operator(deployment)) continue;
    migration.found.push_back("operator: Deployment " + ref_of(deployment));
    const bool goes_now = is_in_the_way(deployment);
    if (!goes_now || has_odd_release(deployment)) {
      step.commands.push_back(
          fmt::format("kubectl scale deployment {} -n {} --replicas=0", name_of(deployment), ns_of(deployment)));
    }
    if (goes_now) remove(deployment, step);
  }
  if (!step.commands.empty()) migration.steps.push_back(std::move(step));
}

void remove_webhooks(const Lists& lists, Migration& migration) {
  MigrationStep step{"Remove its webhooks and API services",
                     "They point at the operator that no longer answers: the validating ones refuse every write of a "
                     "Repository, and a dead API service keeps namespaces from being deleted.",
                     {}};
  for (const auto& [kind, name] : {std::pair("mutatingwebhookconfigurations", "MutatingWebhookConfiguration"),
                                   std::pair("validatingwebhookconfigurations", "ValidatingWebhookConfiguration"),
                                   std::pair("apiservices", "APIService")}) {
    for (const Json& object : list_of(lists, kind)) {
      if (!belongs_to_old_api(object) || is_ours(object)) continue;
      migration.found.push_back(fmt::format("{} {}", name, name_of(object)));
      step.commands.push_back(fmt::format("kubectl delete {} {}", kind, name_of(object)));
    }
  }
  if (!step.commands.empty()) migration.steps.push_back(std::move(step));
}

/// By whichever release, as ours is not to be told from another one: the CRDs have no other labels.
bool is_helms(const Json& crd) {
  return string_at(crd, {"metadata", "labels", api::names::kManagedByLabel}) == "Helm" &&
         !string_at(crd, {"metadata", "annotations", "meta.helm.sh/release-name"}).empty();
}

constexpr std::string_view kOurCrds[] = {"repositories.stash.appscode.com", "backupconfigurations.stash.appscode.com",
                                         "backupsessions.stash.appscode.com", "restoresessions.stash.appscode.com",
                                         "backupblueprints.stash.appscode.com"};

void adopt_crds(const Lists& lists, Migration& migration) {
  MigrationStep step{"Let the chart own the CustomResourceDefinitions",
                     "Helm refuses to change what it did not make. The objects in them stay; deleting a "
                     "CustomResourceDefinition would delete every object of its kind.",
                     {}};
  std::string names;
  for (const Json& crd : list_of(lists, "customresourcedefinitions")) {
    if (std::ranges::find(kOurCrds, name_of(crd)) == std::end(kOurCrds) || is_helms(crd)) continue;
    migration.found.push_back("CustomResourceDefinition " + name_of(crd));
    names += " " + name_of(crd);
  }
  if (names.empty()) return;
  step.commands.push_back(fmt::format("kubectl label crd{} app.kubernetes.io/managed-by=Helm --overwrite", names));
  step.commands.push_back(
      fmt::format("kubectl annotate crd{} meta.helm.sh/release-name=stash "
                  "meta.helm.sh/release-namespace=stash --overwrite",
                  names));
  migration.steps.push_back(std::move(step));
}

void label_namespaces(const Lists& lists, Migration& migration) {
  MigrationStep step{"Ask for injection where there are backups",
                     "AppsCode's Stash injected everywhere; this one does where the namespace asks for it (or set "
                     "injection.mode=opt-out of the chart).",
                     {}};
  std::set<std::string> wanted;
  for (const auto* kind : {"backupconfigurations", "restoresessions"}) {
    for (const Json& object : list_of(lists, kind)) wanted.insert(ns_of(object));
  }
  for (const Json& ns : list_of(lists, "namespaces")) {
    if (!wanted.contains(name_of(ns))) continue;
    if (!string_at(ns, {"metadata", "labels", api::names::kInjectionLabel}).empty()) continue;
    migration.found.push_back(
        fmt::format("namespace {} has backups but no label {}", name_of(ns), api::names::kInjectionLabel));
    step.commands.push_back(
        fmt::format("kubectl label namespace {} {}=enabled", name_of(ns), api::names::kInjectionLabel));
  }
  if (!step.commands.empty()) migration.steps.push_back(std::move(step));
}

bool installed(const Lists& lists) {
  const auto& hooks = list_of(lists, "mutatingwebhookconfigurations");
  return std::ranges::any_of(hooks, is_ours);
}

/// Directories of the node that Repositories use, each once. What a tenant wrote is to be copied into a shell by an
/// administrator: only paths that need no quoting are among them.
std::vector<std::string> host_paths(const Lists& lists, Migration& migration) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-";
  std::vector<std::string> paths;
  for (const Json& repository : list_of(lists, "repositories")) {
    std::string path = string_at(repository, {"spec", "backend", "local", "hostPath", "path"});
    if (path.empty()) continue;
    migration.found.push_back(fmt::format("Repository {} is in the node's directory {}", ref_of(repository), path));
    if (!inject::is_comparable(path) || path.find_first_not_of(kPlain) != std::string::npos) {
      migration.unsupported.push_back(fmt::format(
          "Repository {}: its hostPath is not a plain absolute path; name it in the chart's hostPath.allowed yourself",
          ref_of(repository)));
    } else if (!inject::is_allowed_host_path(path, paths)) {
      std::erase_if(paths, [&](const std::string& other) { return inject::is_allowed_host_path(other, {path}); });
      paths.push_back(std::move(path));
    }
  }
  return paths;
}

void install(const Lists& lists, Migration& migration) {
  if (installed(lists)) return;
  std::string command = install_command();
  std::string why =
      "No image is published yet: docs/quick-start.md says how to make it; write for REGISTRY where your nodes can "
      "pull it. The chart takes over the objects as they are. Sidecars are replaced by ours, which restarts each "
      "workload's pods once; repositories, passwords and snapshots stay as they are.";
  if (const std::vector<std::string> paths = host_paths(lists, migration); !paths.empty()) {
    command += fmt::format(" --set 'hostPath.allowed={{{}}}'", fmt::join(paths, ","));
    why +=
        " Whoever may write a Repository can reach the node's directories that are allowed: leave out those that "
        "you do not know.";
  }
  migration.steps.push_back({"Install this chart", std::move(why), {std::move(command), "kubectl stash doctor"}});
}

void remove_rest(const Lists& lists, Migration& migration) {
  MigrationStep step{
      "Remove what nobody needs any more", "Do this when `kubectl stash status -A` shows all backups Ready.", {}};
  for (const Json& role : list_of(lists, "clusterroles")) {
    const std::string name = name_of(role);
    const bool old = name == "stash-sidecar" || name == "stash-restore-init-container" || name == "stash-cron-job" ||
                     name == "stash-backup-job" || name == "stash-restore-job" || name.starts_with("appscode:stash:");
    if (!old || is_ours(role)) continue;
    migration.found.push_back("ClusterRole " + name);
    // Its name may be anything without a slash.
    if (std::ranges::all_of(split(name, ':'), is_dns_name)) {
      step.commands.push_back("kubectl delete clusterrole " + name);
    } else if (step.by_hand.empty()) {
      step.by_hand.emplace_back("ClusterRoles above with an odd name: delete them, if you know what they are");
    }
  }
  for (const Json& cron_job : list_of(lists, "cronjobs")) {
    const Json& containers = array_at(cron_job, {"spec", "jobTemplate", "spec", "template", "spec", "containers"});
    const bool old = std::ranges::any_of(
        containers, [](const Json& container) { return is_old_image(string_at(container, {"image"})); });
    if (!old) continue;
    migration.found.push_back("CronJob " + ref_of(cron_job));
    // Ours has another name from v0.9.0-rc.3 back; where it has the same the controller has rewritten it by then.
    step.commands.push_back(
        fmt::format("kubectl get cronjob {0} -n {1} -o "
                    "jsonpath='{{..image}}' | grep -qE '{2}' && kubectl delete cronjob {0} -n {1}",
                    name_of(cron_job), ns_of(cron_job), fmt::join(kOldImages, "|")));
  }
  for (const Json& deployment : list_of(lists, "deployments")) {
    if (is_old_operator(deployment) && !is_in_the_way(deployment)) remove(deployment, step);
  }
  if (!step.commands.empty() || !step.by_hand.empty()) migration.steps.push_back(std::move(step));
}

}  // namespace

const std::vector<std::string>& migrate_kinds() {
  static const std::vector<std::string> kinds = {"deployments.apps",
                                                 "statefulsets.apps",
                                                 "daemonsets.apps",
                                                 "replicasets.apps",
                                                 "replicationcontrollers",
                                                 "mutatingwebhookconfigurations.admissionregistration.k8s.io",
                                                 "validatingwebhookconfigurations.admissionregistration.k8s.io",
                                                 "apiservices.apiregistration.k8s.io",
                                                 "customresourcedefinitions.apiextensions.k8s.io",
                                                 "namespaces",
                                                 "clusterroles.rbac.authorization.k8s.io",
                                                 "cronjobs.batch",
                                                 "repositories.stash.appscode.com",
                                                 "backupconfigurations.stash.appscode.com",
                                                 "restoresessions.stash.appscode.com",
                                                 "restics.stash.appscode.com",
                                                 "recoveries.stash.appscode.com",
                                                 "backupbatches.stash.appscode.com",
                                                 "restorebatches.stash.appscode.com",
                                                 "backupblueprints.stash.appscode.com"};
  return kinds;
}

Migration plan_migration(const Lists& lists) {
  Migration migration, afterwards;
  stop_operator(lists, migration);
  remove_webhooks(lists, migration);
  adopt_crds(lists, migration);
  std::ranges::move(old_sidecars(lists), std::back_inserter(migration.found));
  remove_rest(lists, afterwards);
  if (!migration.found.empty() || !afterwards.found.empty()) {
    label_namespaces(lists, migration);
    install(lists, migration);
    std::ranges::move(afterwards.found, std::back_inserter(migration.found));
    std::ranges::move(afterwards.steps, std::back_inserter(migration.steps));
  }
  std::ranges::move(not_taken_over(lists), std::back_inserter(migration.unsupported));
  return migration;
}

}  // namespace stash::cli
