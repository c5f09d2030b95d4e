"""The only rooms that touch ROOT files: find, open, read, look into, and write."""

from hepneg.ntuples.chunk import Chunk, ChunkMaker
from hepneg.ntuples.explore import TreeSummary, WeightCandidate, explore
from hepneg.ntuples.kept_chunks import KeptChunks
from hepneg.ntuples.normalisation import scale_factor
from hepneg.ntuples.overlaps import refuse_copies, require_distinct_files
from hepneg.ntuples.read import ChunkReader, read, read_chunks, require_selected, require_weights
from hepneg.ntuples.reading_notes import ReadingNotes
from hepneg.ntuples.starter import starter_config
from hepneg.ntuples.table_checks import require_counts, warn_about_dropped, warn_without_negative
from hepneg.ntuples.varied_files import of_variation, varied_configs
from hepneg.ntuples.write import write_histograms

__all__ = [
    "Chunk",
    "ChunkMaker",
    "ChunkReader",
    "KeptChunks",
    "ReadingNotes",
    "TreeSummary",
    "WeightCandidate",
    "explore",
    "of_variation",
    "read",
    "read_chunks",
    "refuse_copies",
    "require_counts",
    "require_distinct_files",
    "require_selected",
    "require_weights",
    "scale_factor",
    "starter_config",
    "varied_configs",
    "warn_about_dropped",
    "warn_without_negative",
    "write_histograms",
]
