"""From the start of a program to its readiness, with the API server warm; and the size of the image."""
import gzip
import time

from stash_e2e import api_ring, paths

from .figures import Figure

RUNS = 5


def to_ready(ring):
    found = []
    for name, start in (("webhook", api_ring.start_webhook), ("controller", api_ring.start_controller)):
        program, took = start(ring.kube, ring.directory), []
        try:
            for _ in range(RUNS):
                program.stop()
                began = time.monotonic()
                program.start()
                while not api_ring.answers(f"http://127.0.0.1:{program.health}/readyz"):
                    assert program.process.poll() is None, program.output()[-2000:]
                    time.sleep(0.002)
                took.append(1000 * (time.monotonic() - began))
        finally:
            program.stop()
        found.append(Figure(f"{name}: start to ready", took, "ms", 300))
    return found


def image():
    compressed = len(gzip.compress(paths.IMAGE_TAR.read_bytes(), 6)) / 1e6
    return [Figure("image with restic, compressed", [compressed], "MB", 25, beside=f"{paths.IMAGE_TAR.stat().st_size / 1e6:.0f} MB unpacked")]
