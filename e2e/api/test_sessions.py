"""What the controller does with whole sessions: repetition, metrics. No pod is needed: the Repository does not exist."""
import urllib.request

from stash_e2e import metrics, objects
from stash_e2e.kube import wait_until


def series(pushgateway, ns):
    return metrics.series(metrics.scraped(pushgateway), ns)


def failing_session(kube, ns, **spec):
    kube.apply(objects.backup_configuration(ns, schedule="0 0 1 1 *", paths=["/source/data"], **spec), objects.backup_session(ns, "by-hand"))
    return kube.wait_for_phase("backupsession", "by-hand", ns, ("Succeeded", "Failed", "Skipped"), 60)


def test_a_failed_session_is_repeated_as_often_as_retryconfig_says(kube, ns, controller):
    failed = failing_session(kube, ns, retryConfig={"maxRetry": 1, "delay": "1s"}, backupHistoryLimit=5)
    assert failed["status"]["phase"] == "Failed" and failed["status"]["nextRetry"]
    retry = kube.wait_for_phase("backupsession", "by-hand-retry-1", ns, ("Failed",), 60)
    assert retry["spec"]["retryLeft"] == 0 and retry["spec"]["invoker"]["name"] == "web-backup"
    wait_until("the first says that it was repeated", lambda: kube.get("backupsession", "by-hand", ns)["status"].get("retried"), 30)
    assert "nextRetry" not in retry["status"]
    assert "FieldsHonoured" not in str(kube.condition("backupconfiguration", "web-backup", ns, "Ready"))
    assert kube.condition("backupconfiguration", "web-backup", ns, "FieldsHonoured")["status"] == "True"


def test_a_session_is_told_to_the_pushgateway_until_its_configuration_is_deleted(kube, ns, controller, pushgateway):
    failing_session(kube, ns)
    found = wait_until("the session's metrics are there", lambda: series(pushgateway, ns), 30)
    labels = f'driver="Restic",group="apps",instance="",invoker="web-backup",job="stash-backup",kind="Deployment",name="web",namespace="{ns}",repository="local-repository"'
    assert f"stash_backup_session_success{{{labels}}} 0" in found
    assert f"stash_backup_host_count_total{{{labels}}} 1" in found
    assert any(line.startswith(f"stash_backup_session_duration_seconds{{{labels}}} ") for line in found)
    assert metrics.complaints(metrics.scraped(pushgateway)) == []
    # What a sidecar would have pushed goes as well, what others push stays.
    for path, metric in ((f"web-backup/namespace/{ns}/hostname/host-0", "stash_backup_host_backup_success"),
                         (f"web-backup/namespace/{ns}/hostname/host-1", "batch_of_somebody_else")):
        urllib.request.urlopen(urllib.request.Request(f"{pushgateway.url}/metrics/job/{path}", method="PUT", data=f"# TYPE {metric} gauge\n{metric} 1\n".encode()), timeout=5)
    kube.delete("backupsession", "by-hand", ns)
    kube.delete("backupconfiguration", "web-backup", ns)
    wait_until("no metric of ours is left", lambda: not series(pushgateway, ns), 60)
    assert f'batch_of_somebody_else{{hostname="host-1",instance="",job="web-backup",namespace="{ns}"}} 1' in metrics.scraped(pushgateway)
