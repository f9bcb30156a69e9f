"""A matrix: the TOML file that lists the runs of an evaluation."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from annotated_types import Ge, MinLen

from indexer.errors import UsageError
from indexer.evaluation.records import Metric  # noqa: TC001 (pydantic reads it when it runs)
from indexer.evaluation.stores import NAMES as STORES
from indexer.toml_files import read_toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER = Path(__file__).parent
STUDIES = FOLDER / "studies.toml"
CROPS = FOLDER / "crops.toml"
KEYFRAMES = FOLDER / "keyframes.toml"
COMING_ALONG = {"studies": STUDIES, "crops": CROPS, "keyframes": KEYFRAMES}
"""The matrices that come with Sightings, by what `--matrix` calls them: the five studies'
comparisons, crops with the pairs that are missed whatever the crop, and settings of key frames."""

CARDS = FOLDER / "cards"
"""Cards of ONNX networks that are measured but not part of the package."""

Count = Annotated[int, Ge(1)]
Seed = Annotated[int, Ge(0)]
Text = Annotated[str, MinLen(1)]
Texts = Annotated[tuple[Text, ...], MinLen(1)]
Scalar = str | int | float | bool
Measure = Literal["verification", "all-pairs", "retrieval", "classification"]
MEASURES: tuple[Measure, ...] = ("verification", "all-pairs", "retrieval", "classification")
PLACEHOLDERS = ("models", "here")
"""What may stand in braces in a model: the folder `--models`, and the one of the matrix."""

_CLOSED: dict[str, Any] = {"extra": "forbid"}


@dataclass(frozen=True)
class PhotoRun:
    """A run over photos in LFW's layout; the TOML has the same names.

    name: unique in the matrix. about: what it is there for, in words. model: a spec as after
    `--model`, or several, of which the first whose file is there is taken; see PLACEHOLDERS.
    settings: by dotted name, over those of the command line. photos: those of the whole folder, or
    those that the file of pairs names. most_photos: of one person, the first by name.
    pca: dimensions to which vectors are reduced, and whether they are whitened, too.
    store: what finds the neighbours, as `evaluation.stores` names it; without one, all vectors are
    compared with all in memory. metric: by which neighbours are near.
    measures: which are taken.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _CLOSED

    name: Text
    model: Text | Texts
    about: str = ""
    settings: dict[str, Scalar] = field(default_factory=dict)
    photos: Literal["all", "pairs"] = "all"
    most_photos: Count | None = None
    pca: Count | None = None
    whiten: bool = False
    store: Text | None = None
    metric: Metric = "cosine"
    measures: tuple[Measure, ...] = MEASURES

    def __post_init__(self) -> None:
        if self.whiten and self.pca is None:
            raise ValueError("whiten needs pca, the number of dimensions")
        if not self.measures:
            raise ValueError("measures must name at least one")


@dataclass(frozen=True)
class VideoRun:
    """A run over rendered clips of the folder's people; the TOML has the same names.

    name, about, model, settings: as for photos. ranking: `search` as the product does it, or
    `mean`: one vector a video, the mean of its faces (study 001). seed: of all that the clips are
    drawn from, the recipe's own without one; the run of every frame that another is held against is
    one over the same clips.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _CLOSED

    name: Text
    model: Text | Texts
    about: str = ""
    settings: dict[str, Scalar] = field(default_factory=dict)
    ranking: Literal["search", "mean"] = "search"
    seed: Seed | None = None


@dataclass(frozen=True)
class Matrix:
    """The runs of an evaluation, in the order of the file.

    title: of the report. seed: of what is drawn by chance from photos; clips have their own.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _CLOSED

    title: str = "Evaluation"
    seed: Seed = 0
    photos: tuple[PhotoRun, ...] = ()
    video: tuple[VideoRun, ...] = ()

    @property
    def runs(self) -> tuple[PhotoRun | VideoRun, ...]:
        """All runs: photos first."""
        return (*self.photos, *self.video)


def read_matrix(file: Path) -> Matrix:
    """Read a matrix.

    Raises UsageError that names the file, and the run or the line, for what is wrong in it.
    """
    try:
        content = read_toml(file)
    except (OSError, ValueError) as error:
        raise UsageError(f"The matrix {file} cannot be read: {error}.") from error
    matrix = _validated(_filled_in(content, str(file.absolute().parent)), file)
    if not matrix.runs:
        raise UsageError(f"The matrix {file} lists no runs: [[photos]] or [[video]] begins one.")
    names = [run.name for run in matrix.runs]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"The matrix {file} has two runs named {name!r}: names are unique.")
    for run in matrix.runs:
        _check(run, file)
    return matrix


def specs_of(run: PhotoRun | VideoRun) -> tuple[str, ...]:
    """Return the models that a run names, of which the first that is there is taken."""
    return (run.model,) if isinstance(run.model, str) else run.model


def _validated(content: Mapping[str, Any], file: Path) -> Matrix:
    from pydantic import TypeAdapter, ValidationError

    try:
        # JSON, as only there strict types allow a list for a tuple.
        text = json.dumps(content, default=str)
        return TypeAdapter(Matrix).validate_json(text, strict=True)
    except ValidationError as error:
        faults = "; ".join(
            f"{_place(fault['loc'], content)}{fault['msg']}" for fault in error.errors()
        )
        raise UsageError(f"The matrix {file}: {faults}.") from error


def _place(loc: tuple[int | str, ...], content: Mapping[str, Any]) -> str:
    """Return where a fault is: its run by number and name, and the key."""
    number = loc[1] if len(loc) > 1 else None
    if not isinstance(number, int):
        return f"{'.'.join(map(str, loc))}: " if loc else ""
    row = content[str(loc[0])][number]
    name = f" ({row['name']})" if isinstance(row, dict) and "name" in row else ""
    return f"{loc[0]} run {number + 1}{name}{''.join(f', {key}' for key in loc[2:])}: "


def _filled_in(value: Any, here: str) -> Any:
    """Return a TOML value with the matrix's folder for `{here}`."""
    if isinstance(value, str):
        return value.replace("{here}", here)
    if isinstance(value, list):
        return [_filled_in(each, here) for each in value]
    if isinstance(value, dict):
        return {key: _filled_in(each, here) for key, each in value.items()}
    return value


def _check(run: PhotoRun | VideoRun, file: Path) -> None:
    """Refuse settings and placeholders that nothing knows, before any run has begun."""
    from indexer.settings import load

    store = getattr(run, "store", None)
    if store is not None and _kind_of(store) not in {_kind_of(name) for name in STORES}:
        raise UsageError(
            f"The matrix {file}: {run.name}: there is no store {store!r}; there are "
            f"{', '.join(STORES)}."
        )
    for unknown in sorted(set(_placeholders(run)) - set(PLACEHOLDERS)):
        known = " and ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise UsageError(
            f"The matrix {file}: {run.name}, model: {{{unknown}}} stands for nothing; {known} do."
        )
    try:
        load(run.settings, environment={})
    except UsageError as error:
        raise UsageError(f"The matrix {file}: {run.name}, settings: {error}") from error


def _kind_of(store: str) -> str:
    return re.split(r"[:@\[]", store, maxsplit=1)[0]


def _placeholders(run: PhotoRun | VideoRun) -> Iterator[str]:
    for spec in specs_of(run):
        yield from re.findall(r"\{(\w*)\}", spec)
