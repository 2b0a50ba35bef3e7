"""The installer of Futhark, with a mirror of Debian of our own that is honest or forged."""

from __future__ import annotations

import functools
import hashlib
import http.server
import os
import shutil
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.bare import path_without
from tests.needs import skip_without

if TYPE_CHECKING:
    from collections.abc import Generator

skip_without("apt-get", "dpkg-deb", "gpg")

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "install-futhark.sh"
BASH = shutil.which("bash") or ""
# What stands in for the compiler: it knows `--version`, and its libraries are the system's.
STANDS_IN = Path(shutil.which("cat") or "")
INDEX = "main/binary-{}/Packages"
PATIENCE = 60.0


@dataclass(frozen=True)
class Mirror:
    """An archive with one package: ``folder`` is served at ``address``."""

    folder: Path
    address: str
    keys: Path
    """Where gpg keeps the keys of this archive and of a stranger."""

    @property
    def release(self) -> Path:
        return self.folder / "dists" / "forky"

    @property
    def package(self) -> Path:
        return self.folder / "pool" / "futhark.deb"

    def keyring(self, name: str = "debian") -> Path:
        return self.keys / f"{name}.gpg"

    def sign(self, name: str = "debian") -> None:
        """Sign the index as it is now."""
        signed = ("--clearsign", "--output", str(self.release / "InRelease"))
        gpg(self.keys, "--yes", "--local-user", name, *signed, str(self.release / "Release"))


def gpg(keys: Path, *arguments: str) -> None:
    quietly = ("--homedir", str(keys), "--batch", "--quiet", "--passphrase", "")
    subprocess.run(["gpg", *quietly, "--pinentry-mode", "loopback", *arguments], check=True)


def architecture() -> str:
    done = subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def write_package(root: Path, package: Path) -> None:
    """A package ``futhark`` with a program, its libraries and their loader."""
    linked = subprocess.run(["ldd", str(STANDS_IN)], capture_output=True, text=True, check=True)
    needed = [word for word in linked.stdout.split() if word.startswith("/")]
    (root / "usr" / "lib").mkdir(parents=True)
    (root / "usr" / "bin").mkdir()
    (root / "DEBIAN").mkdir()
    for each in needed:
        shutil.copy(each, root / "usr" / "lib")
    shutil.copy(STANDS_IN, root / "usr" / "bin" / "futhark")
    (root / "DEBIAN" / "control").write_text(
        f"Package: futhark\nVersion: 0.25.32\nArchitecture: {architecture()}\n"
        "Maintainer: Nobody <nobody@example.org>\nDescription: none\n"
    )
    package.parent.mkdir(parents=True)
    building = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(root), str(package)]
    subprocess.run(building, stdout=subprocess.DEVNULL, check=True)


def write_index(mirror: Mirror) -> None:
    """The list of packages, and what is to be signed of it."""
    package = mirror.package
    control = subprocess.run(
        ["dpkg-deb", "--field", str(package)], capture_output=True, text=True, check=True
    ).stdout
    listed = (
        f"{control}Filename: pool/{package.name}\nSize: {package.stat().st_size}\n"
        f"SHA256: {hashlib.sha256(package.read_bytes()).hexdigest()}\n\n"
    )
    index = mirror.release / INDEX.format(architecture())
    index.parent.mkdir(parents=True)
    index.write_text(listed)
    digest = hashlib.sha256(index.read_bytes()).hexdigest()
    (mirror.release / "Release").write_text(
        f"Origin: Debian\nSuite: testing\nCodename: forky\nArchitectures: {architecture()}\n"
        "Components: main\nDate: Sat, 01 Aug 2026 00:00:00 UTC\nSHA256:\n"
        f" {digest} {index.stat().st_size} {index.relative_to(mirror.release)}\n"
    )


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Generator[Mirror]:
    """The archive that the tests take copies of."""
    # gpg's agent listens in this folder, whose path must not be long.
    keys = tmp_path_factory.mktemp("k")
    keys.chmod(0o700)
    for name in ("debian", "stranger"):
        gpg(keys, "--quick-generate-key", name, "ed25519", "sign", "never")
        gpg(keys, "--output", str(keys / f"{name}.gpg"), "--export", name)
    folder = tmp_path_factory.mktemp("archive")
    mirror = Mirror(folder, "", keys)
    write_package(tmp_path_factory.mktemp("root") / "futhark", mirror.package)
    write_index(mirror)
    mirror.sign()
    yield mirror
    subprocess.run(["gpgconf", "--homedir", str(keys), "--kill", "all"], check=False)


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class SlowHandler(Handler):
    """Begins to send a package, and does not go on."""

    asked = threading.Event()
    over = threading.Event()

    def do_GET(self) -> None:
        if not self.path.endswith(".deb"):
            super().do_GET()
            return
        self.send_response(http.HTTPStatus.OK)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.wfile.write(b"!<arch>\n")
        self.asked.set()
        self.over.wait(PATIENCE)


@pytest.fixture
def mirror(archive: Mirror, tmp_path: Path, request: pytest.FixtureRequest) -> Generator[Mirror]:
    """A copy of the archive, on a server; its parameter is the server's handler."""
    folder = tmp_path / "mirror"
    shutil.copytree(archive.folder, folder)
    handler = functools.partial(getattr(request, "param", Handler), directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Mirror(folder, f"http://127.0.0.1:{server.server_port}", archive.keys)
        finally:
            SlowHandler.over.set()
            server.shutdown()
            thread.join()


@dataclass
class Installer:
    """The script, for a mirror and a folder, on a path without ``futhark``."""

    mirror: Mirror
    folder: Path
    environment: dict[str, str]

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [BASH, str(SCRIPT), str(self.folder)],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self) -> tuple[int, str]:
        process = self.start()
        printed, _ = process.communicate(timeout=PATIENCE)
        return process.returncode, printed

    def left(self) -> set[str]:
        """What is in the folder, its lock aside."""
        return {each.name for each in self.folder.iterdir()} - {"lock"}


@pytest.fixture
def installer(mirror: Mirror, tmp_path: Path) -> Installer:
    environment = {
        **os.environ,
        "PATH": path_without({"futhark"}, tmp_path / "path"),
        "DEBIAN_MIRROR": mirror.address,
        "DEBIAN_KEYRING": str(mirror.keyring()),
        "no_proxy": "127.0.0.1",
    }
    return Installer(mirror, tmp_path / "a folder" / ".futhark", environment)


def version(program: Path) -> str:
    done = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split("\n")[0]


def test_what_is_installed_runs_and_stays(installer: Installer, tmp_path: Path) -> None:
    code, printed = installer.run()
    assert code == 0, printed
    program = installer.folder / "bin" / "futhark"
    expected = version(STANDS_IN)
    assert version(program) == expected
    assert f"Bringing Futhark into {installer.folder}" in printed
    assert printed.count(f"{program}: {expected}") == 1
    assert installer.left() == {"bin", "root"}

    # Again, with no mirror to be had: it is there.
    before = program.stat()
    shutil.rmtree(installer.mirror.folder)
    code, printed = installer.run()
    assert (code, printed) == (0, f"{program}: {expected}\n")
    assert program.stat() == before

    # Its own loader and libraries start it, wherever the folder is moved and through links.
    moved = installer.folder.rename(tmp_path / "moved")
    link = tmp_path / "link"
    link.symlink_to(moved / "bin" / "futhark")
    assert version(link) == expected
    assert (
        str(moved)
        in subprocess.run(
            [str(link), "/proc/self/maps"], capture_output=True, text=True, check=True
        ).stdout
    )


def unsigned(mirror: Mirror) -> None:
    (mirror.release / "InRelease").unlink()


def signed_by_a_stranger(mirror: Mirror) -> None:
    mirror.sign("stranger")


def changed_release(mirror: Mirror) -> None:
    path = mirror.release / "InRelease"
    said = path.read_text()
    assert "Suite: testing" in said
    path.write_text(said.replace("Suite: testing", "Suite: unstable"))


def changed_index(mirror: Mirror) -> None:
    path = mirror.release / INDEX.format(architecture())
    listed = path.read_text()
    assert "Version: 0.25.32" in listed
    path.write_text(listed.replace("Version: 0.25.32", "Version: 0.25.33"))


def changed_package(mirror: Mirror) -> None:
    data = bytearray(mirror.package.read_bytes())
    data[-1] ^= 1
    mirror.package.write_bytes(data)


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (unsigned, "no index of Debian's packages that its keys have signed"),
        (signed_by_a_stranger, "no index of Debian's packages that its keys have signed"),
        (changed_release, "no index of Debian's packages that its keys have signed"),
        (changed_index, "no index of Debian's packages that its keys have signed"),
        (changed_package, "Debian's package could not be had"),
    ],
)
@pytest.mark.parametrize("trusting", [False, True], ids=["", "system trusts all"])
def test_what_is_forged_is_refused(
    installer: Installer, tmp_path: Path, forge: object, said: str, trusting: bool
) -> None:
    assert callable(forge)
    forge(installer.mirror)
    if trusting:
        settings = tmp_path / "apt.conf"
        settings.write_text(
            'APT::Get::AllowUnauthenticated "true"; Acquire::AllowInsecureRepositories "true";\n'
            'Acquire::AllowWeakRepositories "true";\n'
        )
        installer.environment["APT_CONFIG"] = str(settings)
    code, printed = installer.run()
    assert code == 1, printed
    assert said in printed
    assert installer.left() == set()


def test_without_keys_nothing_is_taken(installer: Installer, tmp_path: Path) -> None:
    installer.environment["DEBIAN_KEYRING"] = str(tmp_path / "none.gpg")
    code, printed = installer.run()
    assert code == 1
    assert "Debian's keys cannot be read" in printed
    assert installer.left() == set()


def test_without_a_mirror_it_says_so(installer: Installer) -> None:
    installer.environment["DEBIAN_MIRROR"] = "http://127.0.0.1:9"
    code, printed = installer.run()
    assert code == 1
    assert "from http://127.0.0.1:9: " in printed
    assert installer.left() == set()


@pytest.mark.parametrize("mirror", [SlowHandler], indirect=True)
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_an_interruption_leaves_nothing_that_counts(installer: Installer, how: int) -> None:
    SlowHandler.asked.clear()
    SlowHandler.over.clear()
    process = installer.start()
    assert SlowHandler.asked.wait(PATIENCE)
    process.send_signal(how)
    SlowHandler.over.set()
    process.communicate(timeout=PATIENCE)
    assert process.returncode in {128 + how, -how}
    assert installer.left() <= {"part"}

    # What a kill left behind does not disturb the next run.
    address = installer.mirror.folder.as_uri().replace("file:", "copy:")
    installer.environment["DEBIAN_MIRROR"] = address
    code, printed = installer.run()
    assert code == 0, printed
    assert installer.left() == {"bin", "root"}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A compiler of the user's, in a folder of its own."""
    program = tmp_path / "own" / "futhark"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho Futhark 9.9\necho more\n")
    program.chmod(0o755)
    return program


def test_a_futhark_on_the_path_is_taken(installer: Installer, own: Path) -> None:
    installer.environment["PATH"] += f"{os.pathsep}{own.parent}"
    code, printed = installer.run()
    assert code == 0
    assert printed.startswith(f"{own}: Futhark 9.9\n")
    assert not installer.folder.exists()


def test_a_missing_c_compiler_is_told(installer: Installer, own: Path) -> None:
    installer.environment["PATH"] = str(own.parent)
    code, printed = installer.run()
    assert code == 0
    assert "there is no `cc`: apt install gcc libc6-dev" in printed


def test_elsewhere_than_on_debian_it_says_what_to_do(installer: Installer, tmp_path: Path) -> None:
    installer.environment["PATH"] = str(tmp_path)
    code, printed = installer.run()
    assert code == 1
    assert "there is no apt-get" in printed
    assert "https://futhark.readthedocs.io" in printed
