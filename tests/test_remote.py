"""Input from servers: a real XRootD server on loopback where Debian's xrootd-server is installed, and plain HTTP."""

from __future__ import annotations

import getpass
import http.server
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
import yaml
from conftest import toy_columns, toy_config
from friend_models import save_model, small_classifier

from hepneg.errors import DataError, TransferError
from hepneg.friends import apply_model, score
from hepneg.ntuples.files import open_file
from hepneg.ntuples.identity import base_name, identify_file

# Without these the client goes on for ten minutes when its server has gone.
HASTY = {
    "XRD_CONNECTIONWINDOW": "1",
    "XRD_CONNECTIONRETRY": "1",
    "XRD_STREAMERRORWINDOW": "1",
    "XRD_REQUESTTIMEOUT": "3",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(small_classifier(2), tmp_path_factory.mktemp("model"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A running xrootd that serves one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        state = folder / "state"
        state.mkdir()
        config = state / "x.cfg"
        config.write_text(f"all.export {folder}\nall.adminpath {state}\nall.pidpath {state}\n")
        user = []
        if getpass.getuser() == "root":  # which xrootd refuses to be
            for path in (folder, state):
                path.chmod(0o777)
            user = ["-R", "xrootd"]
        command = ["xrootd", *user, "-p", str(self.port), "-c", str(config), "-l", str(state / "log")]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.skip("xrootd does not start here")
            time.sleep(0.05)

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def address(self, name: str) -> str:
        return f"root://127.0.0.1:{self.port}/{self.folder / name}"

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server(write_ntuple: Callable[..., Path]) -> Iterator[Server]:
    if shutil.which("xrootd") is None:
        pytest.skip("xrootd-server is not installed")
    pytest.importorskip("fsspec_xrootd")
    # Not under tmp_path: its parents are closed to the server's user.
    folder = Path(tempfile.mkdtemp(prefix="hepneg-xrootd-"))
    running = None
    try:
        for name, shift in (("sig", 1.0), ("bkg", 0.0)):
            write_ntuple(folder / f"{name}.root", toy_columns(1500, shift, 1, first_id=int(5000 * shift)))
        running = Server(folder)
        yield running
    finally:
        if running:
            running.stop()
        shutil.rmtree(folder)


def hepneg(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hepneg", *map(str, arguments)]
    env = {**os.environ, **HASTY}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=env)


@pytest.mark.slow
def test_training_and_application_over_xrootd(server: Server, tmp_path: Path) -> None:
    config = toy_config()
    for name, sample in config["samples"].items():
        sample["files"] = server.address(f"{name}.root")
    (tmp_path / "analysis.yaml").write_text(yaml.safe_dump(config))
    done = hepneg("inspect", tmp_path / "analysis.yaml", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    done = hepneg("train", tmp_path / "analysis.yaml", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    model = tmp_path / "results" / "toy" / "model"
    done = hepneg("apply", model, server.address("sig.root"), "-o", tmp_path / "remote", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    # A local copy is known as the file of the training, too.
    made = apply_model(model, [server.folder / "sig.root"], tmp_path / "local")
    assert made.files[0].held_out
    one, two = (friend(tmp_path / name / "sig.hepneg.root") for name in ("remote", "local"))
    np.testing.assert_array_equal(one, two)


def friend(path: Path) -> Any:
    with uproot.open(path) as file:
        return file["hepneg"]["hepneg_logit"].array(library="np")


@pytest.mark.slow
def test_a_server_that_goes_is_one_line_after_retries(server: Server, model: Path, tmp_path: Path) -> None:
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    done = hepneg("apply", model, server.address("sig.root"), "-o", tmp_path / "out", "--quiet")
    assert done.returncode == 1
    assert re.fullmatch(r"error: cannot open root://\S+: .*; check the address and the server.*\n", done.stderr)
    assert list((tmp_path / "out").iterdir()) == []


class Ranges(http.server.SimpleHTTPRequestHandler):
    """Serves parts of files, as servers of data do; breaks the connection while ``broken`` is not used up."""

    broken = 0

    def do_GET(self) -> None:
        data = Path(self.translate_path(self.path)).read_bytes()
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = (int(wanted[1]), int(wanted[2] or len(data) - 1)) if wanted else (0, len(data) - 1)
        if first > 65_536 and type(self).broken:
            type(self).broken -= 1
            self.close_connection = True
            return
        part = data[first : last + 1]
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{len(data)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, *arguments: Any) -> None:
        """Be quiet."""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, type[Ranges]]]:
    pytest.importorskip("aiohttp")
    handler = type("Handler", (Ranges,), {})

    def make(*arguments: Any) -> Ranges:
        return handler(*arguments, directory=str(tmp_path))  # type: ignore[no-any-return]

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), make) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", handler
        running.shutdown()
        thread.join()


def test_http_gives_what_the_file_gives(
    web: tuple[str, type[Ranges]], model: Path, tmp_path: Path, write_ntuple: Callable[..., Path]
) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(20_000, 0.5, 1), cluster=2000)
    address = f"{web[0]}/a.root"
    assert identify_file(address) == identify_file(str(path))
    apply_model(model, [address], tmp_path / "remote")
    apply_model(model, [path], tmp_path / "local")
    np.testing.assert_array_equal(*(friend(tmp_path / name / "a.hepneg.root") for name in ("remote", "local")))


def test_a_broken_connection_is_tried_again_and_then_reported(
    web: tuple[str, type[Ranges]],
    model: Path,
    tmp_path: Path,
    write_ntuple: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_ntuple(tmp_path / "a.root", toy_columns(20_000, 0.5, 1), cluster=2000)
    address, handler = web
    monkeypatch.setattr(score, "_PAUSES", (0.0, 0.0))
    handler.broken = 1
    assert apply_model(model, [f"{address}/a.root"], tmp_path / "out").entries == 20_000
    handler.broken = 10_000
    with pytest.raises(TransferError, match=r"cannot (open|read) .*a.root: .*; check the address and the server"):
        apply_model(model, [f"{address}/a.root"], tmp_path / "none")
    assert list((tmp_path / "none").iterdir()) == []


def test_a_missing_package_is_named_and_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any, **settings: Any) -> Any:
        raise ImportError("needs aiohttp")

    monkeypatch.setattr(uproot, "open", fail)
    with (
        pytest.raises(DataError, match=r"needs aiohttp; pip install 'hepneg\[remote\]'") as caught,
        open_file("http://a/b"),
    ):
        pass
    assert not isinstance(caught.value, TransferError)


def test_names_in_addresses() -> None:
    assert base_name("root://host:1094//store/user/a.b.root?xrd.wantprot=unix") == "a.b.root"
    assert base_name("/some/where/a.root") == "a.root"
