"""The manifests of the main job, as a user would write them; a test changes only what it is about."""

SAMPLE_IMAGE = "localhost/stash-sample:dev"
SOURCE = "/source/data"
FINAL = ("Succeeded", "Failed", "Skipped")  # phases of a BackupSession, and of a host in it


def namespace(name, opted_in=True):
    labels = {"stash.appscode.com/injection": "enabled"} if opted_in else {}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def secret(ns, name="repository-secret", password="correct horse battery staple"):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": ns},
            "stringData": {"RESTIC_PASSWORD": password}}


def repository(ns, directory, name="local-repository", secret_name="repository-secret", source=None):
    local = dict(source or {"hostPath": {"path": str(directory), "type": "DirectoryOrCreate"}}, mountPath="/safe/data")
    return {"apiVersion": "stash.appscode.com/v1alpha1", "kind": "Repository", "metadata": {"name": name, "namespace": ns},
            "spec": {"backend": {"local": local, "storageSecretName": secret_name}}}


def deployment(ns, directory, name="web", replicas=1, pod_spec=None, volume=None):
    container = {"name": "app", "image": SAMPLE_IMAGE, "command": ["/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done"],
                 "volumeMounts": [{"name": "source-data", "mountPath": SOURCE}]}
    volume = volume or {"hostPath": {"path": str(directory)}}
    spec = {"terminationGracePeriodSeconds": 5, "containers": [container], "volumes": [dict(volume, name="source-data")]}
    spec.update(pod_spec or {})
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": ns},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
                     "template": {"metadata": {"labels": {"app": name, "stash-test": "yes"}}, "spec": spec}}}


API_VERSIONS = {"ReplicationController": "v1", "DeploymentConfig": "apps.openshift.io/v1"}


def workload(ns, kind, directory, **more):
    """The same pods under another kind of controller."""
    made = deployment(ns, directory, **more)
    made.update(apiVersion=API_VERSIONS.get(kind, "apps/v1"), kind=kind)
    if kind in API_VERSIONS:
        made["spec"]["selector"] = made["spec"]["selector"]["matchLabels"]
    if kind == "StatefulSet":
        made["spec"]["serviceName"] = made["metadata"]["name"]
    if kind == "DaemonSet":
        del made["spec"]["replicas"]
    return made


def deployment_config_crd():
    """Stands in for OpenShift, which serves this kind from an API server of its own."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "deploymentconfigs.apps.openshift.io"},
            "spec": {"group": "apps.openshift.io", "scope": "Namespaced",
                     "names": {"kind": "DeploymentConfig", "plural": "deploymentconfigs", "singular": "deploymentconfig", "shortNames": ["dc"]},
                     "versions": [{"name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
                                   "schema": {"openAPIV3Schema": schema}}]}}


def aimed_at(made, kind):
    """A BackupConfiguration or RestoreSession for a workload of that kind."""
    made["spec"]["target"]["ref"].update(apiVersion=API_VERSIONS.get(kind, "apps/v1"), kind=kind)
    return made


def _target(workload, mount_path=SOURCE, **more):
    return dict({"ref": {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload},
                 "volumeMounts": [{"name": "source-data", "mountPath": str(mount_path)}]}, **more)


def backup_configuration(ns, name="web-backup", workload="web", schedule="* * * * *", repository="local-repository", mount_path=SOURCE,
                         **spec):
    return {"apiVersion": "stash.appscode.com/v1beta1", "kind": "BackupConfiguration", "metadata": {"name": name, "namespace": ns},
            "spec": dict({"schedule": schedule, "repository": {"name": repository},
                          "target": _target(workload, mount_path, paths=spec.pop("paths", [SOURCE])),
                          "retentionPolicy": {"name": "keep-last-5", "keepLast": 5, "prune": True}}, **spec)}


def keep_last(count):
    """A retention policy."""
    return {"name": f"keep-{count}", "keepLast": count, "prune": True}


def backup_session(ns, name, configuration="web-backup"):
    return {"apiVersion": "stash.appscode.com/v1beta1", "kind": "BackupSession", "metadata": {"name": name, "namespace": ns},
            "spec": {"invoker": {"apiGroup": "stash.appscode.com", "kind": "BackupConfiguration", "name": configuration}}}


def restore_session(ns, name="web-restore", workload="web", repository="local-repository", path=SOURCE):
    """Restores `path`, which is also where the volume is mounted."""
    return {"apiVersion": "stash.appscode.com/v1beta1", "kind": "RestoreSession", "metadata": {"name": name, "namespace": ns},
            "spec": {"repository": {"name": repository}, "target": _target(workload, path), "rules": [{"paths": [str(path)]}]}}
