"""Azure's blob store: azurite.

restic 0.14 talks to http://127.0.0.1:10000 when the account is the emulator's, and cannot be told otherwise. So
azurite has a network of its own, in which that port is free.
"""

import contextlib
from pathlib import Path

from servers.built import node_script
from servers.running import own_network, process
from servers.server import Server

# The account that the emulator is born with, published in its documentation.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def script() -> Path:
    return node_script("azurite", "azurite/dist/src/blob/main.js")


PORT = 10000


@contextlib.contextmanager
def azurite(directory: Path, *, address: str = ""):
    """Never at `address`, see above: stash_e2e.pod_network brings it to pods."""
    data = directory / "data"
    data.mkdir()
    with own_network(directory) as enter:
        command = ["node", script(), "--blobHost", "127.0.0.1",
                   "--blobPort", str(PORT), "--location", data, "--skipApiVersionCheck", "--disableTelemetry"]
        with process("azurite", command, directory, ready=("127.0.0.1", PORT), enter=enter):
            secret = {"AZURE_ACCOUNT_NAME": ACCOUNT, "AZURE_ACCOUNT_KEY": KEY}
            # For this account restic 0.14 uses the published key whatever it is given, so no key is a wrong one.
            yield Server("azure", secret,
                         lambda prefix: {"azure": {"container": "stash-test", "prefix": prefix, "maxConnections": 3}},
                         secrets=[KEY], enter=enter)
