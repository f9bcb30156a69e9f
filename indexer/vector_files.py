"""Files of vectors, `.npz` and `.parquet`: what those of a whole index and of features share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from indexer.errors import MissingExtra, UsageError
from indexer.text import shown

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

Format = Literal[".npz", ".parquet"]


def format_of(file: Path) -> Format:
    """Return the format that a file's name asks for.

    Raises UsageError for another name or a folder, MissingExtra for Parquet without pyarrow.
    """
    suffix = file.suffix.lower()
    if suffix not in (".npz", ".parquet"):
        raise UsageError(f"{shown(file)}: vectors are kept in files named .npz or .parquet.")
    if file.is_dir():
        raise UsageError(f"{shown(file)} is a folder, not a file.")
    if suffix == ".parquet":
        arrow()
    return cast("Format", suffix)


def arrow() -> Any:
    """Return pyarrow, with its Parquet module loaded. Raises MissingExtra without it."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra("A Parquet file", "evaluate") from error
    return pyarrow


def rows_column(rows: np.ndarray) -> Any:
    """Return (n, d) numbers as an Arrow column of lists of d, all of one buffer."""
    import numpy as np

    pyarrow = arrow()
    kind = pyarrow.from_numpy_dtype(rows.dtype)
    if len(rows) == 0:
        return pyarrow.array([], pyarrow.list_(kind, rows.shape[1]))
    flat = pyarrow.array(np.ascontiguousarray(rows).reshape(-1))
    return pyarrow.FixedSizeListArray.from_arrays(flat, rows.shape[1])
