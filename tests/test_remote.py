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
from conftest import HUNG, toy_columns, toy_config
from friend_models import save_model, small_classifier

from hepneg import workflow
from hepneg.config import load_config
from hepneg.errors import DataError, TransferError
from hepneg.friends import apply_model
from hepneg.ntuples import column_stream as stream
from hepneg.ntuples import retry
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
        self.command = ["xrootd", *user, "-p", str(self.port), "-c", str(config), "-l", str(state / "log")]
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + HUNG
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
            write_ntuple(folder / f"{name}.root", toy_columns(1500, shift, 1, first_id=int(5000 * shift)), cluster=300)
        running = Server(folder)
        yield running
    finally:
        if running:
            running.stop()
        shutil.rmtree(folder)


def hepneg(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hepneg", *map(str, arguments)]
    env = {**os.environ, **HASTY}
    return subprocess.run(command, capture_output=True, text=True, timeout=HUNG, check=False, env=env)


@pytest.mark.slow
def test_training_and_application_over_xrootd(server: Server, tmp_path: Path) -> None:
    config = remote_config(server, tmp_path)
    done = hepneg("inspect", config, "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    done = hepneg("train", config, "--quiet")
    assert done.returncode == 0, done.stderr
    assert all(line.startswith("warning: ") for line in done.stderr.splitlines()), done.stderr  # the epochs are few
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


# A server that goes while the file is being read: this process ends it with the third window.
CUT_WHILE_READING = """
import os, signal, sys
from hepneg.cli import main
from hepneg.ntuples import column_stream as stream
from hepneg.ntuples import retry
retry.PAUSES = tuple(map(float, sys.argv[2].split(',')))
plan, read, windows = stream._plan, stream._read_lane, []
stream._plan = lambda *arguments: (plan(*arguments)[0], 300, 300)
def read_and_cut(*arguments):
    windows.append(1)
    if len(windows) == 6:
        os.kill(int(sys.argv[1]), signal.SIGKILL)
    return read(*arguments)
stream._read_lane = read_and_cut
main(sys.argv[3:])
"""


def remote_config(server: Server, folder: Path) -> Path:
    config = toy_config()
    for name, sample in config["samples"].items():
        sample["files"] = server.address(f"{name}.root")
    path = folder / "analysis.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def cut_while_reading(server: Server, pauses: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CUT_WHILE_READING, server.process.pid, pauses, *arguments]
    return subprocess.Popen(
        [str(argument) for argument in command], stderr=subprocess.PIPE, text=True, env={**os.environ, **HASTY}
    )


@pytest.mark.slow
@pytest.mark.parametrize("command", ["inspect", "train", "apply"])
def test_a_connection_cut_while_reading_is_one_line_after_retries(
    server: Server, model: Path, tmp_path: Path, command: str
) -> None:
    asked: list[object] = [command, remote_config(server, tmp_path)]
    if command == "apply":
        asked = [command, model, server.address("sig.root"), "-o", tmp_path / "results" / "out"]
    cut = cut_while_reading(server, "0.1,0.1", *asked, "--quiet")
    _, err = cut.communicate(timeout=HUNG)
    assert cut.returncode == 1, err
    assert re.fullmatch(
        r"error: cannot read entries \d+ to \d+ of root://\S+: .*; check the address and the server.*\n", err
    )
    assert not [path for path in (tmp_path / "results").rglob("*") if path.is_file()]


@pytest.mark.slow
def test_a_server_that_comes_back_while_reading_is_no_failure(server: Server, tmp_path: Path) -> None:
    config = remote_config(server, tmp_path)
    cut = cut_while_reading(server, "0.1,2,4,8,16,32", "inspect", config, "--quiet")
    server.process.wait(timeout=HUNG)
    server.start()
    _, err = cut.communicate(timeout=HUNG)
    assert (cut.returncode, err) == (0, "")
    assert (tmp_path / "results" / "toy" / "inspect.json").is_file()


class Ranges(http.server.SimpleHTTPRequestHandler):
    """Serves parts of files, as servers of data do; breaks the connection while ``broken`` is not used up.

    It breaks instead of an answer, or with half of the data sent where ``halfway`` is set.
    """

    broken = 0
    halfway = False

    def do_GET(self) -> None:
        data = Path(self.translate_path(self.path)).read_bytes()
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = (int(wanted[1]), int(wanted[2] or len(data) - 1)) if wanted else (0, len(data) - 1)
        breaks = first > 65_536 and type(self).broken > 0
        if breaks:
            type(self).broken -= 1
            if not self.halfway:
                return
        part = data[first : last + 1]
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{len(data)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part[: len(part) // 2] if breaks else part)

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


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses, and several windows in a small file."""
    monkeypatch.setattr(retry, "PAUSES", (0.0, 0.0))
    plan = stream._plan
    monkeypatch.setattr(stream, "_plan", lambda *arguments: (plan(*arguments)[0], 2000, 2000))


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("kind", ["ttree", "rntuple"])
@pytest.mark.parametrize("halfway", [False, True])
def test_a_broken_connection_is_tried_again_and_then_reported(
    web: tuple[str, type[Ranges]],
    model: Path,
    tmp_path: Path,
    write_ntuple: Callable[..., Path],
    kind: str,
    halfway: bool,
) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(20_000, 0.5, 1), kind, cluster=2000)
    address, handler = web
    handler.halfway = halfway
    handler.broken = 1
    assert apply_model(model, [f"{address}/a.root"], tmp_path / "out").entries == 20_000
    assert handler.broken == 0
    apply_model(model, [path], tmp_path / "local")
    np.testing.assert_array_equal(*(friend(tmp_path / name / "a.hepneg.root") for name in ("out", "local")))
    handler.broken = 10_000
    with pytest.raises(TransferError, match=r"cannot (open|read) .*a.root: .*; check the address and the server"):
        apply_model(model, [f"{address}/a.root"], tmp_path / "none")
    assert list((tmp_path / "none").iterdir()) == []


@pytest.mark.usefixtures("hasty")
def test_inspect_and_train_try_again_too(
    web: tuple[str, type[Ranges]], tmp_path: Path, write_ntuple: Callable[..., Path]
) -> None:
    address, handler = web
    data = toy_config()
    for shift, (name, sample) in enumerate(data["samples"].items()):
        write_ntuple(tmp_path / f"{name}.root", toy_columns(20_000, shift, 1, first_id=50_000 * shift), cluster=2000)
        sample["files"] = f"{address}/{name}.root"
    (tmp_path / "analysis.yaml").write_text(yaml.safe_dump(data))
    config = load_config(tmp_path / "analysis.yaml", ["training.epochs=1", "training.scheme.name=absolute"])
    for step in (workflow.inspect, workflow.train):
        handler.broken = 2
        step(config)
        assert handler.broken == 0
        handler.broken = 10_000
        with pytest.raises(TransferError, match=r"cannot (open|read) .*\.root: .*; check the address and the server"):
            step(config)


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
