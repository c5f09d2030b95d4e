"""The only rooms that touch ROOT files: find, open, read, look into, and write."""

from hepneg.ntuples.read import Chunk, read, read_chunks, scale_factor

__all__ = ["Chunk", "read", "read_chunks", "scale_factor"]
