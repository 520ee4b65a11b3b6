"""What runs in every cluster from its first second: the DNS."""

import string
import subprocess

from node import images, processes
from node.api import Api
from node.identity import Cluster
from node.paths import CLUSTER_DIR, tool
from node.say import Failure, wait_for


def apply_dns(cluster: Cluster) -> None:
    manifest = string.Template((CLUSTER_DIR / "files/coredns.yaml").read_text()).substitute(
        image=images.COREDNS, address=cluster.dns_address, host_address=cluster.host_address)
    done = subprocess.run([tool("kubectl"), f"--kubeconfig={cluster.kubeconfig}", "apply", "--server-side",
                           "--validate=false", "-f", "-"], input=manifest, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"applying e2e/cluster/files/coredns.yaml failed: {done.stderr.strip()}")


def wait_until_usable(cluster: Cluster, api: Api) -> None:
    """A pod can be made, finds a node, and its names resolve."""

    def condition_of(path: str, kind: str):
        def holds():
            processes.fail_if_one_died(cluster)
            conditions = ((api.get(path) or {}).get("status") or {}).get("conditions") or []
            here = next((condition for condition in conditions if condition["type"] == kind), {})
            holds.why = here.get("message") or f"{path} has no condition {kind}"
            return here.get("status") == "True"

        return holds

    wait_for_default_account(api)
    wait_for("the node to be Ready", condition_of(f"/api/v1/nodes/{cluster.name}", "Ready"), 60)
    wait_for("the DNS to be available",
             condition_of("/apis/apps/v1/namespaces/kube-system/deployments/coredns", "Available"), 60)


def wait_for_default_account(api: Api) -> None:
    path = "/api/v1/namespaces/default/serviceaccounts/default"
    wait_for("the ServiceAccount default/default", lambda: api.get(path), 30)
