"""The command line: each command is a thin map onto :mod:`hepneg.workflow`, in a file of its own.

Only click is imported until a command runs.
"""

from __future__ import annotations

from hepneg.cli.group import main

__all__ = ["main"]
