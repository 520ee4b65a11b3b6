"""The quick start, the guides and what else of docs/ is commands, followed word by word on the cluster, against real servers where they are about a store.

Each ```sh block of the document is run by bash and each ```yaml block applied, in their order; the first that fails fails the
test. So what should come out is said by the commands themselves: kubectl wait, kubectl rollout status, grep. Of the documents
only this is not taken as it stands:

- images that cannot be pulled here, and schedules that would fire in the middle of the test: see IN_PLACE_OF
- what a comment before the block says: <!-- test: skip because ... --> or <!-- test: replace TEXT with VALUE, ... -->, where
  VALUE is what the test's own server has under that name; with "; trust the server", its authority goes into the Secret, too
- PersistentVolumes for the claims, which a cluster with a StorageClass makes by itself
"""
import contextlib
import functools
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cluster"))
from node.identity import find  # noqa: E402
from servers import azure, gcs, rest, s3, swift  # noqa: E402
from stash_e2e import api_ring, objects, paths, pod_network  # noqa: E402

DOCS = paths.ROOT / "docs"
BLOCK = re.compile(r"(?:^<!-- test: (?P<note>.*?) -->\n)?^```(?P<language>sh|yaml)\n(?P<text>.*?)^```$", re.M | re.S)
IN_PLACE_OF = {"busybox:1.36": objects.SAMPLE_IMAGE, '"*/5 * * * *"': '"0 0 1 1 *"'}
S3 = functools.partial(s3.versitygw, tls=True)
GUIDES = {"quick-start.md": None, "guides/deployment.md": None, "guides/statefulset.md": None, "guides/daemonset.md": None,
          "guides/other-workloads.md": None, "guides/s3.md": S3, "guides/b2.md": S3, "guides/rest.md": rest.rclone,
          "guides/gcs.md": gcs.fake_gcs, "guides/swift.md": swift.swift, "guides/azure.md": azure.azurite,
          "operations.md": S3}
TRUST = "; trust the server"
# What is there already when a document begins: another one, up to a heading.
AFTER = {"operations.md": ("guides/s3.md", "## The restore")}


def replaced(text, pairs):
    for found, instead in pairs.items():
        text = text.replace(found, instead)
    return text


def text_before(document):
    if document not in AFTER:
        return ""
    other, heading = AFTER[document]
    before, found, _ = (DOCS / other).read_text().partition(f"\n{heading}\n")
    assert found, f"docs/{other} has no {heading}"
    return before + "\n"


class Guide:
    """One document and what it is followed with."""

    def __init__(self, kube, document, directory, values):
        self.kube, self.document, self.directory, self.values = kube, document, directory, values
        self.blocks = [found.groupdict() for found in BLOCK.finditer(text_before(document) + (DOCS / document).read_text())]
        examples = directory / "docs/examples"
        shutil.copytree(DOCS / "examples", examples)
        for file in examples.glob("*.yaml"):
            file.write_text(replaced(file.read_text(), IN_PLACE_OF))
        for name, value in {"ca.crt": "authority", "key.json": "GOOGLE_SERVICE_ACCOUNT_JSON_KEY"}.items():
            if value in values:
                (directory / name).write_text(values[value])
        self.env = dict(kube.env, PATH=f"{paths.KUBECTL.parent}:{api_ring.BIN}:/usr/bin:/bin")

    def manifests(self):
        texts = [block["text"] for block in self.blocks if block["language"] == "yaml"]
        texts += [(self.directory / name).read_text() for block in self.blocks for name in re.findall(r"docs/examples/\S+\.yaml", block["text"])]
        return [manifest for text in texts for manifest in yaml.safe_load_all(text) if manifest]

    def namespaces(self):
        return [manifest["metadata"]["name"] for manifest in self.manifests() if manifest["kind"] == "Namespace"]

    def claims(self):
        """(namespace, name, access modes) of every PersistentVolumeClaim that there will be."""
        for made in self.manifests():
            ns, spec = made["metadata"].get("namespace"), made.get("spec", {})
            if made["kind"] == "PersistentVolumeClaim":
                yield ns, made["metadata"]["name"], spec["accessModes"]
            for template in spec.get("volumeClaimTemplates", []):
                for ordinal in range(spec["replicas"]):
                    yield ns, f"{template['metadata']['name']}-{made['metadata']['name']}-{ordinal}", template["spec"]["accessModes"]

    def make_volumes(self):
        for ns, name, modes in self.claims():
            directory = self.directory / f"volume-{name}"
            directory.mkdir()
            self.kube.delete("persistentvolume", f"{ns}-{name}")  # of an earlier run on a cluster that was kept
            self.kube.apply({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": f"{ns}-{name}"},
                             "spec": {"capacity": {"storage": "1Gi"}, "accessModes": modes, "storageClassName": "",
                                      "hostPath": {"path": str(directory)}, "claimRef": {"namespace": ns, "name": name}}})

    def text_of(self, block):
        note, text = block["note"] or "", replaced(block["text"], IN_PLACE_OF)
        if note.endswith(TRUST):
            text = text.rstrip("\n") + " --from-file=CA_CERT_DATA=ca.crt\n"
        if note.startswith("replace "):
            for pair in note.removeprefix("replace ").removesuffix(TRUST).split(", "):
                found, _, name = pair.partition(" with ")
                assert found in text, f"{self.document}: a comment replaces {found}, which the block does not have"
                text = text.replace(found, self.values[name])
        else:
            assert not note, f"{self.document}: what does this mean? {note}"
        return text

    def follow(self):
        for number, block in enumerate(self.blocks, 1):
            if (block["note"] or "").startswith("skip because "):
                continue
            argv, text = ["bash", "-euo", "pipefail"], self.text_of(block)
            if block["language"] == "yaml":
                argv = ["kubectl", "apply", "-f", "-"]
            done = subprocess.run(argv, input=text, env=self.env, cwd=self.directory, text=True, capture_output=True, timeout=400)
            assert done.returncode == 0, f"block {number} of docs/{self.document}:\n{text}\n{done.stdout}{done.stderr}"

    def forget(self):
        for ns in self.namespaces():
            self.kube.kubectl("delete", "namespace", ns, "--wait=false", "--ignore-not-found")
        for ns, name, _ in self.claims():
            self.kube.kubectl("delete", "persistentvolume", f"{ns}-{name}", "--wait=false", "--ignore-not-found")


def values_of(server):
    backend = server.backend("demo-rest")[server.kind]
    return {**server.secret, **backend, **({"authority": server.secret["CA_CERT_DATA"]} if "CA_CERT_DATA" in server.secret else {})}


@pytest.mark.parametrize("document", GUIDES)
def test_a_guide_is_followed_word_by_word(kube, turn, document):
    directory = paths.cluster_directory(kube.cluster) / "volumes" / f"guide-{Path(document).stem}"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        start = GUIDES[document]
        server = stack.enter_context(start(directory, address=find(kube.cluster).host_address)) if start else None
        guide = Guide(kube, document, directory, values_of(server) if server else {})
        assert len(guide.blocks) > 4 and guide.namespaces(), "there is nothing to follow"
        for ns in guide.namespaces():
            kube.delete("namespace", ns)  # of an earlier run on a cluster that was kept
        if server and server.kind == "azure":  # restic 0.14 knows no other address of the emulator
            stack.enter_context(pod_network.reached_by_pods(kube, guide.namespaces()[0], server, azure.PORT, directory))
        guide.make_volumes()
        try:
            guide.follow()
        except BaseException:
            print("\n".join(kube.explain_failure(ns) for ns in guide.namespaces()))
            raise
        finally:
            guide.forget()


def test_every_guide_is_followed():
    assert {f"guides/{path.name}" for path in (DOCS / "guides").glob("*.md")} == {name for name in GUIDES if name.startswith("guides/")}
