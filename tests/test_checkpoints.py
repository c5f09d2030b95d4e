"""The folder of a command's checkpoints: one job at a time, and nobody else's."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import wait_for

from hepneg._core.job_folder import checkpoint_folder
from hepneg.errors import OutputError

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys, time
from pathlib import Path
from hepneg._core.job_folder import checkpoint_folder
with checkpoint_folder(Path(sys.argv[1]), "train", resume=False) as folder:
    (folder / "half").touch()
    time.sleep(300)
"""


def test_a_job_that_ends_well_leaves_nothing(tmp_path: Path) -> None:
    with checkpoint_folder(tmp_path, "train", resume=False) as folder:
        (folder / "part").mkdir()
        (folder / "part" / "fold_0").touch()
    assert list(tmp_path.iterdir()) == []


def test_what_an_interrupted_job_left_is_for_the_same_command_alone(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), checkpoint_folder(tmp_path, "compare", resume=False) as folder:
        (folder / "fold_0").touch()
        raise KeyboardInterrupt
    with checkpoint_folder(tmp_path, "train", resume=False):
        pass
    with checkpoint_folder(tmp_path, "compare", resume=True) as folder:
        assert (folder / "fold_0").exists()
    with pytest.raises(ValueError, match="nothing kept"), checkpoint_folder(tmp_path, "train", resume=False):
        raise ValueError("nothing kept")
    assert not (tmp_path / "checkpoint").exists()


def test_a_new_job_does_not_see_what_an_interrupted_one_left(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), checkpoint_folder(tmp_path, "train", resume=False) as folder:
        (folder / "fold_0").touch()
        raise KeyboardInterrupt
    with checkpoint_folder(tmp_path, "train", resume=False) as folder:
        assert list(folder.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be locked there")
def test_a_second_job_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    first = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)])
    try:
        wait_for((tmp_path / "checkpoint" / "train" / "half").exists, first)
        with (
            pytest.raises(OutputError, match="another `hepneg train` is writing into"),
            checkpoint_folder(tmp_path, "train", resume=True),
        ):
            pass
        assert (tmp_path / "checkpoint" / "train" / "half").exists()
        with checkpoint_folder(tmp_path, "closure", resume=False):
            pass
    finally:
        first.kill()
        first.wait()
    with checkpoint_folder(tmp_path, "train", resume=True) as folder:
        assert (folder / "half").exists()  # killed, it let go of the folder and left what it had
