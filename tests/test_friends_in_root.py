"""Friend files in real ROOT: AddFriend with TTree::Draw, and RDataFrame, entry for entry."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import HUNG, toy_columns
from friend_models import expected_logit, save_model, small_classifier

from hepneg.friends import apply_model

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ROOT") is None, reason="ROOT is not installed")

# In a process of its own: ROOT changes signal handlers and prints on its own account.
READ_TTREE = """
import json, sys, ROOT
source, friend = sys.argv[1:]
chain = ROOT.TChain("Events"); chain.Add(source)
friends = ROOT.TChain("hepneg"); friends.Add(friend)
chain.AddFriend(friends)
drawn = chain.Draw("hepneg_logit:x0", "hepneg_response > 0", "goff")
logit, x0 = ([column[i] for i in range(drawn)] for column in (chain.GetV1(), chain.GetV2()))
frame = ROOT.RDataFrame(chain).Define("same", "hepneg.event == event")
ids = [int(value) for value in frame.Take["ULong64_t"]("hepneg.event").GetValue()]
above = frame.Filter("hepneg_response > 0.5").Count().GetValue()
print(json.dumps({"logit": logit, "x0": x0, "ids": ids, "same": frame.Sum("same").GetValue(), "above": above}))
"""
READ_RNTUPLE = """
import json, sys, ROOT
frame = ROOT.RDataFrame("hepneg", sys.argv[2])
ids = [int(value) for value in frame.Take["std::uint64_t"]("event").GetValue()]
logit = [float(value) for value in frame.Take["float"]("hepneg_logit").GetValue()]
print(json.dumps({"ids": ids, "logit": logit}))
"""


def in_root(script: str, *arguments: Path) -> dict[str, list[float]]:
    command = [sys.executable, "-W", "ignore", "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HUNG, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_ttree_friends(tmp_path: Path, write_ntuple: Callable[..., Path]) -> None:
    classifier = small_classifier()
    columns = toy_columns(500, 0.5, 9, first_id=2**63 + 1)
    path = write_ntuple(tmp_path / "a.root", columns, cluster=130)
    apply_model(save_model(classifier, tmp_path / "model"), [path], tmp_path)
    seen = in_root(READ_TTREE, path, tmp_path / "a.hepneg.root")
    logit = expected_logit(classifier, columns, held_out=False, ids=columns["event"])
    good = np.isfinite(logit)
    np.testing.assert_allclose(seen["logit"], logit[good], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(np.float32(seen["x0"]), columns["x0"][good])
    assert seen["ids"] == columns["event"].tolist()
    assert seen["same"] == 500
    assert seen["above"] == int((logit[good] > 0).sum())


def test_rntuple_friends(tmp_path: Path, write_ntuple: Callable[..., Path]) -> None:
    classifier = small_classifier()
    columns = toy_columns(500, 0.5, 9, first_id=2**63 + 1)
    path = write_ntuple(tmp_path / "a.root", columns, "rntuple", cluster=130)
    apply_model(save_model(classifier, tmp_path / "model"), [path], tmp_path)
    seen = in_root(READ_RNTUPLE, path, tmp_path / "a.hepneg.root")
    logit = expected_logit(classifier, columns, held_out=False, ids=columns["event"])
    np.testing.assert_allclose(seen["logit"], logit, rtol=1e-5, atol=1e-6)
    assert seen["ids"] == columns["event"].tolist()


@pytest.mark.parametrize("kind", ["ttree", "rntuple"])
def test_an_empty_friend(tmp_path: Path, write_ntuple: Callable[..., Path], kind: str) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(0, 0.5, 9), kind)
    apply_model(save_model(small_classifier(2), tmp_path / "model"), [path], tmp_path)
    # RDataFrame of ROOT 6.40 crashes on any RNTuple without entries.
    opened = 'RDataFrame("hepneg", path).Count().GetValue()'
    if kind == "rntuple":
        opened = 'RNTupleReader.Open("hepneg", path).GetNEntries()'
    count = f'import json, sys, ROOT; path = sys.argv[1]; print(json.dumps({{"n": int(ROOT.{opened})}}))'
    assert in_root(count, tmp_path / "a.hepneg.root")["n"] == 0
