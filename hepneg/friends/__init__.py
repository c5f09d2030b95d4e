"""Friend files: responses beside the events of ROOT files, entry for entry."""

from hepneg.friends.apply import apply_model
from hepneg.friends.result import FriendFile, Friends

__all__ = ["FriendFile", "Friends", "apply_model"]
