"""Adding columns of a friend file to a TTree with ROOT: ``python -m hepneg.ntuples.root_branches FILE TREE FRIEND
NAME…``.

A process of its own, started by :mod:`hepneg.ntuples.branches`. FILE is changed.
"""

from __future__ import annotations

import sys

from hepneg.ntuples.friend_files import FRIEND_TREE, NOTE

__all__: list[str] = []

_CODE = """
bool hepneg_add(const char* path, const char* tree, const char* friend_path, const char* friend_tree,
                const char* note, const std::vector<std::string>& names) {
  TFile source(friend_path), target(path, "UPDATE");
  auto from = source.Get<TTree>(friend_tree);
  auto to = target.Get<TTree>(tree);
  auto remark = source.Get<TObjString>(note);
  if (!from || !to || !remark || from->GetEntries() != to->GetEntries()) return false;
  for (const auto& name : names) {
    float value = 0;
    from->SetBranchStatus("*", false);
    from->SetBranchStatus(name.c_str(), true);
    from->SetBranchAddress(name.c_str(), &value);
    auto branch = to->Branch(name.c_str(), &value, (name + "/F").c_str());
    for (Long64_t entry = 0; entry < from->GetEntries(); ++entry)
      if (from->GetEntry(entry) < 0 || branch->Fill() < 0) return false;
    from->ResetBranchAddresses();
    branch->ResetAddress();
  }
  target.cd();
  return to->Write("", TObject::kOverwrite) > 0 && remark->Write(note, TObject::kOverwrite) > 0;
}
"""


def _main(path: str, tree: str, friend: str, *names: str) -> None:
    import ROOT

    ROOT.gROOT.SetBatch(True)
    ROOT.gInterpreter.Declare(_CODE)
    if not ROOT.hepneg_add(path, tree, friend, FRIEND_TREE, NOTE, ROOT.std.vector("std::string")(names)):
        sys.exit("the tree cannot be read or written")


if __name__ == "__main__":
    _main(*sys.argv[1:])
