"""The settings: what can be set, what it defaults to, and why.

Each field's metadata holds its help text, which the command line and the README's table show.
`load` resolves them: flag, then SIGHTINGS_* variable, then file, then default.
"""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Le

from indexer.engines.elastic.location import is_on_cluster, parse_location
from indexer.errors import UsageError
from indexer.settings_api import ApiSettings
from indexer.settings_compute import ComputeSettings
from indexer.settings_fields import Count, NonNegative, Positive, secret, setting
from indexer.settings_sources import PREFIX, from_environment, from_file
from indexer.settings_tasks import TaskSettings
from indexer.strategy import parse_strategy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class MediaSettings:
    """What counts as media."""

    max_pixels: Count = setting(
        178_956_970,
        "largest photo in pixels: Pillow's own bound against decompression bombs, 0.5 GB as RGB",
    )


@dataclass(frozen=True)
class KeyframeSettings:
    """Which frames of a video are looked at."""

    strategy: str = setting(
        "delta-e",
        "`delta-e`, `fps=R` (R frames a second), `random=N` (N frames a video) or `all`",
    )
    min_delta_e: Positive = setting(
        12.0, "mean CIELAB difference from which a frame is new; cuts exceed it by far"
    )
    min_cell_delta_e: Positive = setting(
        50.0, "the same for any one cell of a 16 x 9 grid: a mean hides a small new face"
    )
    max_gap_s: Positive = setting(
        0.8, "a frame is new after this time, however alike; it bounds what can be missed"
    )
    reference: Literal["last-kept", "previous"] = setting(
        "last-kept", "what a frame is compared with; `previous` misses slow drift"
    )
    order: Literal["difference-first", "faces-first"] = setting(
        "difference-first", "whether frames are compared before or after looking for faces"
    )
    segment_s: Annotated[float, Ge(1), Le(86_400)] = setting(
        60.0, "the filter restarts at each multiple: the unit of work and of retry"
    )
    seed: Annotated[int, Ge(0)] = setting(0, "seed of `random=N`")


@dataclass(frozen=True)
class FaceSettings:
    """Which faces are kept."""

    min_face_px: Annotated[int, Ge(12)] = setting(
        40, "smallest face, shorter side of its box in pixels; below, networks guess"
    )
    min_probability: Annotated[float, Ge(0), Le(1)] = setting(
        0.9, "lowest probability of the detector's last network"
    )
    max_side_px: Annotated[int, Ge(0)] = setting(
        0, "larger pictures are reduced to this side to look for faces; 0: never"
    )
    min_sharpness: NonNegative = setting(
        0.0, "faces more blurred than this are dropped (variance of the Laplacian); 0: none"
    )
    batch_size: Annotated[int, Ge(1), Le(1024)] = setting(
        8, "key frames that a GPU looks at together; processors take one each"
    )
    device: Literal["auto", "cpu", "cuda"] = setting("auto", "`auto`: CUDA where there is one")


@dataclass(frozen=True)
class AppearanceSettings:
    """How faces of a video become appearances."""

    max_gap_s: NonNegative = setting(
        2.0, "a person unseen for longer starts a new appearance; a head turns in less"
    )
    max_faces: Count = setting(5, "faces kept of an appearance: its best, differing ones")


@dataclass(frozen=True)
class ElasticsearchSettings:
    """How an index on a cluster is reached and kept. Raises UsageError for contradictions."""

    api_key: str = secret("API key for the cluster, as it encodes it or `id:key`")
    username: str = setting("", "user of the cluster, instead of an API key")
    password: str = secret("that user's password")
    ca_certs: str = setting(
        "", "path of the CA file (PEM) that signed the cluster's certificate; for TLS"
    )
    fingerprint: str = setting(
        "", "SHA-256 of the cluster's certificate or its CA's, instead of a CA file"
    )
    timeout_s: Positive = setting(30.0, "how long one request may take")
    retry_s: NonNegative = setting(
        60.0, "how long to go on trying while the cluster is busy or out of reach"
    )
    vector_type: Literal["int8_hnsw", "int4_hnsw", "bbq_hnsw", "hnsw", "int8_flat", "flat"] = (
        setting("int8_hnsw", "how a new index keeps vectors: graph or `flat`, and how many bits")
    )
    num_candidates: Annotated[int, Ge(1), Le(10_000)] = setting(
        100, "vectors a graph search looks at in each shard; more finds more and takes longer"
    )
    oversample: Annotated[float, Ge(1), Le(10)] = setting(
        3.0, "how many times the hits wanted are compared again by their full vectors"
    )
    expunge_s: NonNegative = setting(
        120.0,
        "how long a deletion may wait for its bytes to leave the disks, usually 30 s; 0: not",
    )
    first_load: bool = setting(
        False,
        "write without replicas and refreshes while `index` runs; a node lost then loses its faces",
    )
    shards: Count = setting(1, "primary shards of a new index")
    replicas: Annotated[int, Ge(0)] = setting(
        1, "copies of each shard; 0 loses the index with a node"
    )

    def __post_init__(self) -> None:
        if self.api_key and (self.username or self.password):
            raise UsageError(
                "elasticsearch.api_key is set, and elasticsearch.username or .password too. "
                "Set one or the other."
            )
        if bool(self.username) != bool(self.password):
            missing = "password" if self.username else "username"
            raise UsageError(
                f"elasticsearch.{missing} is not set; a user and a password go together."
            )
        if self.ca_certs and self.fingerprint:
            raise UsageError(
                "elasticsearch.ca_certs and elasticsearch.fingerprint are both set. "
                "Set one or the other: with a fingerprint no CA is asked."
            )
        if self.fingerprint and not re.fullmatch(
            "[0-9A-Fa-f]{64}", self.fingerprint.replace(":", "")
        ):
            raise UsageError(
                "elasticsearch.fingerprint is not a SHA-256 fingerprint: 64 hexadecimal digits, "
                "with or without colons."
            )


@dataclass(frozen=True)
class Settings:
    """All settings."""

    index: str = setting(
        "",
        "path of the index, or `elasticsearch://HOST:9200/NAME`; "
        "empty: `faces.sightings` in your data folder",
    )
    model: str = setting("", "embedding model for a new index; see `sightings models`")
    facenet_weights: str = setting("", "path of FaceNet's weights for the model `facenet`")
    media: MediaSettings = MediaSettings()
    keyframes: KeyframeSettings = KeyframeSettings()
    faces: FaceSettings = FaceSettings()
    appearances: AppearanceSettings = AppearanceSettings()
    compute: ComputeSettings = ComputeSettings()
    elasticsearch: ElasticsearchSettings = ElasticsearchSettings()
    api: ApiSettings = ApiSettings()
    tasks: TaskSettings = TaskSettings()

    def options_for(self, kind: str) -> str:
        """Return a fingerprint of the settings that decide which faces a media gives."""
        import hashlib
        import json

        parts = asdict(self)
        relevant = {"faces": parts["faces"]}
        if kind == "video":
            relevant |= {name: parts[name] for name in ("keyframes", "appearances")}
        for speed_only in ("batch_size", "device"):
            del relevant["faces"][speed_only]
        return hashlib.sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Description:
    """One setting as users see it; of a secret only whether it is set."""

    name: str
    variable: str
    default: Any
    help: str
    secret: bool = False


def describe(settings: Any = None, section: str = "") -> Iterator[Description]:
    """Yield every setting with its dotted name, variable, default and help text."""
    settings = settings or Settings()
    for entry in fields(settings):
        name, value = f"{section}{entry.name}", getattr(settings, entry.name)
        if "help" in entry.metadata:
            variable = PREFIX + name.replace(".", "_").upper()
            hidden = entry.metadata.get("secret", False)
            shown = "(set)" if hidden and value else value
            yield Description(name, variable, shown, entry.metadata["help"], hidden)
        else:
            yield from describe(value, f"{name}.")


def load(
    flags: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    file: str | Path | None = None,
) -> Settings:
    """Return the settings: flags, then SIGHTINGS_* variables, then a TOML file, then defaults.

    flags: by dotted name; None values are not given. file: by default SIGHTINGS_CONFIG, else
    `sightings/sightings.toml` in the user's configuration folder, if it is there.
    Raises UsageError for unknown names and bad values, naming where they come from.
    """
    environment = os.environ if environment is None else environment
    names = {known.variable: known.name for known in describe()}
    named = {name: value for name, value in (flags or {}).items() if value is not None}
    sources = [
        ("an option", named),
        ("the environment", from_environment(environment, names)),
        ("the settings file", from_file(file or environment.get("SIGHTINGS_CONFIG"))),
    ]
    merged: dict[str, Any] = {}
    for source, values in reversed(sources):
        if unknown := sorted(set(values) - {known.name for known in describe()}):
            raise UsageError(f"Unknown setting {unknown[0]!r} in {source}.{_guess(unknown[0])}")
        merged |= values
    return _validated(merged)


def _validated(values: Mapping[str, Any]) -> Settings:
    from pydantic import TypeAdapter, ValidationError

    tree: dict[str, Any] = {}
    for name, value in values.items():
        *sections, last = name.split(".")
        branch = tree
        for section in sections:
            branch = branch.setdefault(section, {})
        branch[last] = value
    try:
        settings = TypeAdapter(Settings).validate_python(tree)
        parse_strategy(settings.keyframes.strategy)
        if is_on_cluster(settings.index):
            parse_location(settings.index)
        return settings
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        hidden = name in {known.name for known in describe() if known.secret}
        raise UsageError(
            f"The setting {name} is {'not right' if hidden else repr(first['input'])}. "
            f"{first['msg']}. It can come from an option, "
            f"{PREFIX}{name.replace('.', '_').upper()} or the file."
        ) from (None if hidden else error)


def _guess(name: str) -> str:
    import difflib

    candidates = [text for known in describe() for text in (known.name, known.variable)]
    near = difflib.get_close_matches(name, candidates, n=1)
    return f" Did you mean {near[0]}?" if near else " `sightings settings` lists them."
