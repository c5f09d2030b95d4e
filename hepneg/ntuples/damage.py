"""The boundary of uproot: whatever it raises becomes one line, in its own words where the file need not be damaged."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from hepneg.errors import DataError, HepnegError, TransferError

__all__ = ["brief", "is_remote", "read_error", "refuse_damage"]

# Of types that are raised for nothing else than bytes that make no sense, by module and name: decompressors and uproot
# have no common base, and not all of them are imported, or installed, where nothing needs them.
_DAMAGED = frozenset(
    {
        *("zlib.error", "_lzma.LZMAError", "cramjam.DecompressionError", "struct.error", "builtins.EOFError"),
        *("uproot.deserialization.DeserializationError", "builtins.RecursionError", "builtins.OverflowError"),
        *(
            "builtins.IndexError",
            "builtins.UnicodeDecodeError",
            "builtins.ZeroDivisionError",
            "pyo3_runtime.PanicException",
        ),
    }
)
_UNSUPPORTED = frozenset(
    {
        *("builtins.NotImplementedError", "uproot.interpretation.identify.UnknownInterpretation"),
        *("uproot.interpretation.objects.CannotBeAwkward", "uproot.interpretation.objects.CannotBeStrided"),
    }
)
_MEND = "fetch or write it again"


@contextmanager
def refuse_damage(path: str, what: str) -> Iterator[None]:
    """Turn whatever reading raises into one line; keep nothing else than reading inside.

    uproot lets through what its decompressors, numpy, awkward and the interpreter raise on bytes that make no sense,
    and raises the same for what it does not support, so everything is caught.

    Args:
        path: of the file.
        what: is read, for the message.

    Raises:
        DataError: ``cannot read entries 0 to 99 of a.root: …``; "damaged" is said only of what nothing else explains.
        TransferError: the same for an address.
    """
    try:
        yield
    except HepnegError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and _kind(error) not in _DAMAGED:  # Ctrl-C and the like
            raise
        raise read_error(path, f"cannot read {what} of {path}", error) from error


def read_error(path: str, message: str, error: BaseException) -> DataError:
    """Return the error that says why something cannot be read."""
    if is_remote(path):
        _disconnect(path)
        return _transfer_error(message, error)
    return DataError(f"{message}: {_explanation(error)}")


def _explanation(error: BaseException) -> str:
    kind, told = _kind(error), brief(error)
    if kind in _DAMAGED or "checksum" in str(error) or "header expects" in str(error):
        return f"{told}; the file is damaged, {_MEND}"
    if isinstance(error, MemoryError):
        return "it needs more memory than there is: the file is damaged, or its clusters are too large for this machine"
    if isinstance(error, ImportError):
        return f"{told}; install the package that is missing"
    if isinstance(error, OSError):
        return f"{told}; check the file and the disk"
    if kind in _UNSUPPORTED or "compression" in str(error) or "unrecognized" in str(error):
        return f"{told}; uproot does not read this, write the file without it"
    return f"{told}; the file is damaged, or holds what uproot does not read: {_MEND}"


def _kind(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def is_remote(path: str) -> bool:
    """Tell whether a path is an address, such as ``root://…``, rather than a local path."""
    return "://" in path


def brief(error: BaseException) -> str:
    """Return the kind of an error and the beginning of its message, on one line."""
    text = " ".join(str(error).split())
    shown = text if len(text) <= 120 else f"{text[:119]}…"
    return f"{type(error).__name__}: {shown}" if shown else type(error).__name__


def _transfer_error(message: str, error: BaseException) -> DataError:
    """Say why an address cannot be read; a missing package stays missing, anything else may pass."""
    if isinstance(error, ImportError):
        return DataError(f"{message}: {brief(error)}; pip install 'hepneg[remote]'")
    return TransferError(f"{message}: {brief(error)}; check the address and the server, or copy the file here")


def _disconnect(path: str) -> None:
    """Let the next try at an address open it anew: fsspec keeps open files, also those whose server has gone."""
    fsspec: Any = sys.modules.get("fsspec")
    if fsspec is not None:
        # Closing what is broken already may fail in as many ways as there are protocols.
        with suppress(Exception):
            filesystem, name = fsspec.core.url_to_fs(path)
            filesystem.invalidate_cache(name)
