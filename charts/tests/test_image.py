"""What image/assemble puts together."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "image"))
import rootfs  # noqa: E402

BIN = ROOT / "build/release/bin"
# Each one costs memory in every pod, or space on every node.
LIBRARIES = {
    "libbrotlicommon.so.1", "libbrotlidec.so.1", "libbrotlienc.so.1", "libc.so.6", "libcpp-httplib.so.0.11", "libcrypto.so.3", "libcurl.so.4",
    "libfmt.so.9", "libgcc_s.so.1", "libjemalloc.so.2", "libm.so.6", "libprometheus-cpp-core.so.1.0", "libsimdjson.so.14", "libssl.so.3",
    "libstdc++.so.6", "libyaml-cpp.so.0.7", "libz.so.1"}
SIDECARS = {
    "libc.so.6", "libcrypto.so.3", "libcurl.so.4", "libfmt.so.9", "libgcc_s.so.1", "libm.so.6", "libsimdjson.so.14", "libssl.so.3",
    "libstdc++.so.6", "libyaml-cpp.so.0.7"}


@pytest.fixture(scope="module")
def libcurl():
    return Path(subprocess.run([ROOT / "image/libcurl"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


def without_loader(libraries):
    return {library.name for library in libraries if not library.name.startswith("ld-linux")}


def test_the_image_holds_these_libraries_and_no_others(tmp_path):
    """Debian's libcurl alone would bring twenty-four more."""
    environment = {name: value for name, value in os.environ.items() if name != "LIBCURL"} | {"STASH_BUILD_DIR": str(BIN.parent)}
    subprocess.run([ROOT / "image/assemble", tmp_path], env=environment, check=True)
    assert without_loader(tmp_path.rglob("*.so*")) == LIBRARIES


def test_the_sidecar_loads_these_libraries_and_no_others(libcurl):
    assert without_loader(rootfs.libraries_of(BIN / "stash", libcurl)) == SIDECARS


def test_the_library_of_the_image_does_what_the_unit_tests_ask_of_http(libcurl):
    """They are linked with Debian's, and run with it elsewhere."""
    done = subprocess.run([BIN / "base_test", "[http]", "-w", "NoTests"], env=os.environ | {"LD_LIBRARY_PATH": str(libcurl.parent)}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr


def test_a_library_with_the_symbols_of_another_build_is_refused(tmp_path):
    """As one without versions, which the loader would take with a complaint in each pod's log."""
    for name, version in (("linked", "V1 { global: *; };"), ("shipped", "")):
        (tmp_path / name).mkdir()
        (tmp_path / "versions").write_text(version)
        script = [f"-Wl,--version-script={tmp_path}/versions"] if version else []
        compile_c(tmp_path / name / "libours.so.1", "int f(void) { return 0; }", "-shared", "-fPIC", "-Wl,-soname,libours.so.1", *script)
    compile_c(tmp_path / "program", "int f(void); int main(void) { return f(); }", tmp_path / "linked/libours.so.1")
    with pytest.raises(rootfs.Missing, match="no version information available"):
        rootfs.add_file(tmp_path / "root", tmp_path / "program", "/usr/bin/program", 0o755, shipped=tmp_path / "shipped/libours.so.1")
    rootfs.add_file(tmp_path / "root", tmp_path / "program", "/usr/bin/program", 0o755, shipped=tmp_path / "linked/libours.so.1")
    assert not list(tmp_path.joinpath("root").rglob("libours.so.1")), "who names a shipped library puts it there"


def compile_c(target, source, *options):
    subprocess.run(["gcc", "-x", "c", "-", "-x", "none", *options, "-o", target], input=source, text=True, check=True)


def test_a_program_brings_its_libraries(tmp_path):
    rootfs.create(tmp_path)
    rootfs.add_file(tmp_path, Path("/usr/bin/nice"), "/usr/bin/nice", 0o111)
    assert list(tmp_path.rglob("libc.so.6")) and (tmp_path / "usr/bin/nice").stat().st_mode & 0o777 == 0o111


def test_a_program_for_another_processor_is_refused(tmp_path):
    """As the restic of an image that was pinned by the digest of one processor's."""
    foreign = bytearray(Path("/usr/bin/nice").read_bytes())
    foreign[18] ^= 0xFF
    (tmp_path / "restic").write_bytes(foreign)
    with pytest.raises(rootfs.Missing, match="restic is for another processor"):
        rootfs.add_file(tmp_path / "root", tmp_path / "restic", "/usr/bin/restic", 0o111)


def test_the_dockerfile_names_no_processor():
    text = (ROOT / "Dockerfile").read_text()
    for line in text.splitlines():
        if not line.startswith("#"):
            assert not [word for word in ("amd64", "arm64", "x86", "aarch64", "--platform") if word in line], line
