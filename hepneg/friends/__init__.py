"""Friend files: responses and refined weights beside the events of ROOT files, entry for entry."""

from hepneg.friends.apply import apply_model
from hepneg.friends.refined import RefinedFriends, refine_files
from hepneg.friends.result import FriendFile, Friends

__all__ = ["FriendFile", "Friends", "RefinedFriends", "apply_model", "refine_files"]
