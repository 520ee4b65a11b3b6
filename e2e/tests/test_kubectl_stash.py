"""`kubectl stash` on a whole cluster: what needs a kubelet, above all `exec` into a sidecar."""
import json

from stash_e2e import objects
from stash_e2e.plugin import Plugin, without_defaults


def test_a_person_backs_up_lists_downloads_and_restores_with_kubectl_stash(kube, place, tmp_path):
    plugin = Plugin(kube)
    place.start_workload()
    kube.apply(objects.backup_configuration(place.ns, schedule="0 0 1 1 *"))
    place.wait_for_sidecar()
    assert "Succeeded" in plugin.well("trigger", "web-backup", "-n", place.ns)
    snapshot = plugin.json("snapshots", "local-repository", "-n", place.ns)[0]
    assert snapshot["paths"] == [objects.SOURCE] and snapshot["host"] == "host-0"
    plugin.well("download", "local-repository", "--snapshot", snapshot["id"], "-n", place.ns, "-d", tmp_path / "fetched")
    assert [found.read_text() for found in (tmp_path / "fetched").rglob("data.txt")] == ["worth keeping\n"]
    assert plugin.well("unlock", "local-repository", "-n", place.ns) == "The repository is not locked.\n"
    (place.source / "data.txt").unlink()
    restored = plugin.well("restore", "web-backup", "-n", place.ns, "--snapshot", snapshot["id"], timeout=240)
    assert "Succeeded" in restored
    assert (place.source / "data.txt").read_text() == "worth keeping\n"
    place.wait_for_sidecar()
    assert "web-backup   Deployment/web" in plugin.well("status", "-n", place.ns)


def stash_container(workload):
    return [c for c in workload["spec"]["template"]["spec"]["containers"] if c["name"] == "stash"][0]


def test_a_preview_is_what_the_webhook_injects_then(kube, place, tmp_path):
    plugin = Plugin(kube)
    place.source.mkdir(parents=True)
    kube.apply(objects.secret(place.ns), objects.repository(place.ns, place.repository), objects.backup_configuration(place.ns, schedule="0 0 1 1 *"))
    file = tmp_path / "web.json"
    file.write_text(json.dumps(objects.deployment(place.ns, place.source)))
    foreseen = stash_container(plugin.json("preview", "-f", file, "-n", place.ns)[0]["result"])
    kube.kubectl("apply", "-f", file)
    place.wait_for_sidecar()
    assert without_defaults(stash_container(kube.get("deployment", "web", place.ns)), foreseen) == foreseen


def test_doctor_finds_a_whole_installation_healthy_and_nothing_to_migrate(kube, turn):
    plugin = Plugin(kube)
    # What other tests leave in their namespaces may be ill.
    checks = [check for check in json.loads(plugin.run("doctor", "-o", "json").stdout)["checks"]
              if check["area"] in ("crds", "programs", "webhook", "certificates", "rbac")]
    assert [check for check in checks if check["level"] != "ok"] == []
    assert {check["area"] for check in checks} == {"crds", "programs", "webhook", "certificates", "rbac"}
    assert plugin.json("migrate")["found"] == []
