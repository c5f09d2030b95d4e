"""Friend files: responses and refined weights beside the events of ROOT files, entry for entry."""

from hepneg.friends.outcome import FriendFile, Friends
from hepneg.friends.refined_files import RefinedFriends, refine_files
from hepneg.friends.response_files import apply_model

__all__ = ["FriendFile", "Friends", "RefinedFriends", "apply_model", "refine_files"]
