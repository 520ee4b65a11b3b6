"""OpenStack Swift: one of each of its servers, one replica, users in the proxy's configuration.

Swift reads /etc/swift/swift.conf and nothing else, so it has an /etc of its own; its ports are fixed in the rings, so it
has a network of its own as well.
"""

import contextlib
import os
import secrets
import subprocess
import sys
from pathlib import Path

from servers.built import Failure
from servers.debian import swift_root
from servers.running import own_network, process, reached_at, wait_until_it_listens
from servers.server import Server

PROXY, MEMCACHED = 7080, 7011
STORES = {"account": 7002, "container": 7001, "object": 7000}
STORE_CONF = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
mount_check = false
devices = {devices}
swift_dir = /etc/swift
user = root
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
PROXY_CONF = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = root
swift_dir = /etc/swift
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk tempauth slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = {key} .admin
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
""" + "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in
              ("catch_errors", "gatekeeper", "healthcheck", "listing_formats", "bulk", "slo", "dlo"))


@contextlib.contextmanager
def swift(directory: Path, *, address: str = ""):
    """At `address` of this machine too, if there is one."""
    root = swift_root()
    key = "canary" + secrets.token_hex(12)
    environment = {"PYTHONPATH": f"{root}/usr/lib/python3/dist-packages", "PYTHONDONTWRITEBYTECODE": "1",
                   "LD_LIBRARY_PATH": f"{root}/usr/lib/{os.uname().machine}-linux-gnu"}
    configuration = directory / "swift"
    configuration.mkdir()
    (configuration / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = test\n"
                                              "[storage-policy:0]\nname = only\ndefault = yes\n")
    devices = directory / "devices"
    (devices / "d1").mkdir(parents=True)
    for kind, port in STORES.items():
        (configuration / f"{kind}-server.conf").write_text(STORE_CONF.format(kind=kind, port=port, devices=devices))
    (configuration / "proxy-server.conf").write_text(PROXY_CONF.format(port=PROXY, memcached=MEMCACHED, key=key))

    with own_network(directory, {"swift": configuration}) as enter, contextlib.ExitStack() as running:
        for kind, port in STORES.items():
            ring = f"/etc/swift/{kind}.builder"
            for step in (["create", "4", "1", "1"], ["add", f"r1z1-127.0.0.1:{port}/d1", "1"], ["rebalance"]):
                done = subprocess.run([*enter, sys.executable, f"{root}/usr/bin/swift-ring-builder", ring, *step],
                                      capture_output=True, text=True, env=os.environ | environment)
                if done.returncode > 1:  # 1 is a warning
                    raise Failure(f"swift-ring-builder {ring} {step[0]}: {done.stdout}{done.stderr}")
        running.enter_context(process("memcached", [f"{root}/usr/bin/memcached", "-u", "root", "-l", "127.0.0.1", "-p",
                                                    MEMCACHED], directory, ready=("127.0.0.1", MEMCACHED), enter=enter,
                                      env=environment))
        started = {}  # all at once: each takes seconds to load its Python modules
        for kind, port in [*STORES.items(), ("proxy", PROXY)]:
            command = [sys.executable, f"{root}/usr/bin/swift-{kind}-server", f"/etc/swift/{kind}-server.conf"]
            started[kind, port] = running.enter_context(process(f"swift-{kind}", command, directory, enter=enter,
                                                                env=environment))
        for (kind, port), child in started.items():
            wait_until_it_listens(child, ("127.0.0.1", port), directory / f"swift-{kind}.log", enter)
        if address:
            running.enter_context(reached_at(address, PROXY, enter, directory))
        secret = {"ST_AUTH": f"http://{address or '127.0.0.1'}:{PROXY}/auth/v1.0", "ST_USER": "test:tester", "ST_KEY": key}
        yield Server("swift", secret, lambda prefix: {"swift": {"container": "stash-test", "prefix": prefix}},
                     wrong=secret | {"ST_KEY": "canary-of-somebody-else"}, secrets=[key], enter=enter)
