"""Studies that train: sign-split closure here, schemes side by side in :mod:`hepneg.studies.scheme_comparison`."""

from hepneg.studies.sign_split import PartClosure, SignSplitClosure, check_response_shapes, sign_split_closure

__all__ = ["PartClosure", "SignSplitClosure", "check_response_shapes", "sign_split_closure"]
