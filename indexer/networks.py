"""The networks that all media of a run share: the face detector and the embedding model."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from indexer.errors import ModelMismatch, UsageError
from indexer.library_threads import limit_opencv, segments_at_once
from indexer.link_cosines import link_cosine

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.detectors import Detector
    from indexer.embeddings.base import Embedder
    from indexer.records import ModelIdentity
    from indexer.settings import Settings

LOG = logging.getLogger(__name__)
MOST_DECODING = 64
"""Far more than anybody works on at the same time: searches by video come on top of a run."""


@dataclass(frozen=True)
class Networks:
    """A detector, an embedding model, and the settings they run under.

    threads: those that the networks work in, whatever they are asked by. decoding: the threads that
    decode, as many as segments are worked on at the same time. They are used again: memory that was
    a decoder's serves the next one in the same thread, while with a thread for each segment the C
    library keeps some for each of dozens.
    """

    detector: Detector
    embedder: Embedder
    settings: Settings
    threads: ThreadPoolExecutor = field(init=False, repr=False, compare=False)
    decoding: ThreadPoolExecutor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Neither starts a thread before it has work.
        threads = ThreadPoolExecutor(self.detector.runtime.calls_at_once, "networks")
        object.__setattr__(self, "threads", threads)
        object.__setattr__(self, "decoding", ThreadPoolExecutor(MOST_DECODING, "decoding"))

    @property
    def on_cuda(self) -> bool:
        """Whether pictures are looked at on a GPU."""
        return self.detector.runtime.device == "cuda"

    @property
    def identity(self) -> ModelIdentity:
        """The embedding model's identity."""
        return self.embedder.identity

    @property
    def segments_at_once(self) -> int:
        """How many segments, and photos, a run in one process works on side by side."""
        return segments_at_once(self.settings)

    def loaded(self) -> Networks:
        """Return these networks, as `deferred.DeferredNetworks` returns those that it loads."""
        return self

    @property
    def link_cosine(self) -> float:
        """The cosine from which faces of a video are taken for one person."""
        return link_cosine(self.embedder.identity)


def load_networks(
    identity: ModelIdentity | None,
    settings: Settings,
    *,
    spec: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Networks:
    """Load the detector and the model that is asked for, else the index's, else the settings'.

    identity: the index's model, None for a new index. spec: the model asked for, which must be
    the index's; it then says where its weights lie now. progress: told bytes done and total of a
    download. Raises UsageError if no model is named anywhere, ModelMismatch if the one asked for
    is not the index's, WeightsUnavailable, MissingExtra.
    """
    from indexer.detectors import detector_for
    from indexer.embeddings import load_identity, load_model
    from indexer.runtime import runtime_of

    runtime = runtime_of(settings)
    LOG.log(
        logging.WARNING if runtime.passed_over else logging.INFO, "Networks run on %s.", runtime
    )
    limit_opencv()
    wanted = spec or ("" if identity else settings.model)
    if wanted:
        embedder = load_model(wanted, settings=settings, progress=progress, runtime=runtime)
        if identity is not None and identity.key != embedder.identity.key:
            raise ModelMismatch(
                f"The index was made with {identity.key}, and {wanted!r} is "
                f"{embedder.identity.key}: their embeddings cannot be compared. Leave out --model, "
                f"or re-embed the index: sightings reindex --model {wanted}"
            )
    elif identity is not None:
        embedder = load_identity(identity, settings, runtime)
    else:
        raise UsageError(
            "A new index needs --model MODEL; no model is chosen silently. "
            "`sightings models` lists them with their licences."
        )
    return Networks(detector_for(embedder, settings.faces, runtime), embedder, settings)
