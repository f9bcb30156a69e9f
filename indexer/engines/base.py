"""The contract that every index engine keeps; `tests/engines/` holds all engines to it.

An index stores media with their files, segments (the job state), faces and labels. Methods raise
`IndexFailure` (or one of its kinds) when storage fails; nothing acknowledged is lost, however a
process ends. An engine with transactions shows others a change of several records as a whole or not
at all; without, a change that was cut short is completed by doing it again, and no media counts as
done before. "For good" means that the bytes go too, from every file of the index; where others hold
that up, PurgeUnfinished says what is left to do.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from indexer.engines.jobs import Jobs
from indexer.engines.upkeep import Upkeep
from indexer.engines.versions import Versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np

    from indexer.records import (
        Deleted,
        Face,
        Filters,
        Label,
        Media,
        MediaFile,
        ModelIdentity,
        Person,
        Segment,
        SegmentCounts,
        SegmentSpan,
        SegmentState,
        State,
    )
    from indexer.results import Group, Hit
    from indexer.settings import AppearanceSettings


class Index(Versions, Jobs, Upkeep):
    """Media, segments, faces and labels, searchable by embedding."""

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Release files and connections; calling it twice does no harm."""

    @abstractmethod
    def refresh(self) -> None:
        """Make everything written so far, by any process, visible to searches of this object."""

    # --- the embedding model -----------------------------------------------------------------

    @property
    @abstractmethod
    def model(self) -> ModelIdentity | None:
        """The live embedding model, or None for an index that never had one."""

    @abstractmethod
    def adopt_model(self, model: ModelIdentity) -> None:
        """Make `model` the live one of an index without any; remember where its weights lie now.

        Its own thresholds are taken anew too, and those that were set for the index stay.

        Raises ModelMismatch, which says how to reindex, if the live model has another key.
        """

    # --- media and their files ---------------------------------------------------------------

    @abstractmethod
    def get_media(self, media_id: str) -> Media | None:
        """Return a media with its paths (sorted), or None."""

    @abstractmethod
    def iter_media(
        self,
        filters: Filters | None = None,
        *,
        states: Sequence[State] = (),
        batch: str | None = None,
        after: tuple[str, str] | None = None,
    ) -> Iterator[Media]:
        """Yield media in order of `Media.path`, then id: in those states and that batch, if given.

        after: the path and id of a media, which may be gone; those up to it are not even read.
        Only the filters persons, media_ids, exclude_media_ids, file_names, path_prefix, kind,
        recorded_* apply; with `persons` a media counts when any of its faces has such a name.
        """

    @abstractmethod
    def find_file(self, path: str) -> MediaFile | None:
        """Return what is known of a path."""

    @abstractmethod
    def put_file(self, file: MediaFile) -> None:
        """Record that a path holds a media's bytes; the path leaves the media it belonged to.

        The media may still be unknown.
        """

    @abstractmethod
    def remove_file(self, path: str) -> None:
        """Forget a path; its media stays, even without any path."""

    @abstractmethod
    def iter_files(self) -> Iterator[MediaFile]:
        """Yield all files in order of path. Iterators skip what is deleted while they run."""

    @abstractmethod
    def delete_media(self, media_ids: Sequence[str]) -> Deleted:
        """Delete media with files, segments, faces and labels for good; ignore unknown ids."""

    # --- segments: the job state -------------------------------------------------------------

    @abstractmethod
    def start_media(self, media: Media, spans: Sequence[SegmentSpan]) -> None:
        """Store the media in state `working` with one pending segment for each span.

        A media already `queued` or `working` under the same `options` is left as it is, so that a
        stopped run resumes and two runs do not disturb each other; any other state starts anew,
        outside any batch, and its old faces stay until `finish_segment` replaces them.
        `media.paths` is not stored.
        """

    @abstractmethod
    def claim_segment(
        self, media_id: str, *, owner: str, lease_s: float, max_attempts: int
    ) -> Segment | None:
        """Claim the first segment that is pending or whose lease has run out; None if none is.

        The claim raises `attempts` before any work is done, and a `queued` media is `working` from
        then on. A segment that was already attempted `max_attempts` times becomes `failed` instead,
        with an error that says so.
        """

    @abstractmethod
    def renew_claim(self, segment: Segment, *, lease_s: float) -> None:
        """Prolong a claim, held until it is taken over, released or finished; raise ClaimLost."""

    @abstractmethod
    def claim_owners(self) -> tuple[str, ...]:
        """Return the owners of all claimed segments."""

    @abstractmethod
    def release_claims(self, owner: str, *, forgive: bool = False) -> int:
        """Make an owner's claimed segments pending again. Return how many.

        The attempts stay; `forgive` takes the last back, for an owner that was only stopped.
        """

    @abstractmethod
    def finish_segment(
        self, segment: Segment, faces: Sequence[Face], *, tracks: bytes, counts: SegmentCounts
    ) -> None:
        """Replace all faces of the media within the segment's time span, and mark it `done`.

        Faces carry embedding and thumbnail; labels name them at once. One transaction: afterwards
        the faces are searchable, or after a crash nothing has changed. Raises ClaimLost if the
        claim is no longer held, ModelMismatch if a face's model is not the live one, and
        UsageError for a face of another media or time, or with an unusable embedding.
        """

    @abstractmethod
    def fail_segment(self, segment: Segment, error: str) -> None:
        """Mark a claimed segment `failed`. Raises ClaimLost if the claim is no longer held."""

    @abstractmethod
    def list_segments(self, media_id: str, *, states: Sequence[SegmentState] = ()) -> list[Segment]:
        """Return a media's segments in order of number: in those states, if given.

        Of the others no tracks are read, which are large: so unfinished segments cost little.
        """

    @abstractmethod
    def link_appearances(
        self, media_id: str, settings: AppearanceSettings, *, warnings: Sequence[str] = ()
    ) -> Media:
        """Link a media's faces once no segment is pending or claimed; return the media.

        Applies `appearances.plan_links`, puts names back (`labels.persons_of`), drops the
        segments' tracks, stores `warnings` and `indexed_at`, and sets the state: `done`, or
        `failed` with the error of the first failed segment. Does nothing to a media that has
        unfinished segments or is linked already. Raises NotFound for an unknown media.
        """

    # --- faces -------------------------------------------------------------------------------

    @abstractmethod
    def get_face(self, face_id: str) -> Face | None:
        """Return a face with its embedding, without thumbnail."""

    @abstractmethod
    def thumbnail(self, face_id: str) -> bytes | None:
        """Return a face's thumbnail as JPEG."""

    @abstractmethod
    def iter_faces(
        self, filters: Filters | None = None, *, embeddings: bool = False
    ) -> Iterator[Face]:
        """Yield faces without thumbnails in order of media id, time and id."""

    @abstractmethod
    def search(self, vector: np.ndarray, k: int, filters: Filters | None = None) -> list[Hit]:
        """Return the k faces of highest cosine among those that pass the filters, best first.

        vector: (dimensions,) float32 of length 1. Ties are ordered by face id. Hits' faces carry
        neither embedding nor thumbnail. An empty index has no hits.
        Raises UsageError if the vector has another shape than the live model's.
        """

    @abstractmethod
    def search_groups(
        self,
        vectors: np.ndarray,
        groups: int,
        filters: Filters | None = None,
        *,
        min_score: float = -1.0,
        span_score: float = -1.0,
    ) -> list[Group]:
        """Return the media that match best, best first: at most `groups`, all if fewer.

        vectors: (queries, dimensions) float32, rows of length 1; a face's score is its highest
        cosine to any row. A media counts when its best face reaches `min_score`. Its hits are its
        best face, then the best face of every other appearance (of every face, where there is no
        appearance) whose score reaches `span_score`, best first; no cut by k.
        """

    @abstractmethod
    def count(self, filters: Filters | None = None) -> int:
        """Return the number of faces that pass the filters."""

    @abstractmethod
    def delete_faces(self, face_ids: Sequence[str]) -> Deleted:
        """Delete faces and the labels on them for good, and name the others of their media anew.

        Unknown ids are ignored.
        """

    # --- names -------------------------------------------------------------------------------

    @abstractmethod
    def label(self, labels: Iterable[Label]) -> tuple[Label, ...]:
        """Store labels and name the faces of their media by `labels.persons_of`, at once.

        Returns the labels that found no face (those of media still unlinked or unknown are not
        counted); they are stored all the same.
        """

    def finish_naming(self, media_ids: Sequence[str]) -> None:
        """Name the faces of media by their labels, where that was cut short.

        Nothing is to be done by an engine that stores labels and names in one transaction.
        """

    @abstractmethod
    def delete_labels(self, label_ids: Iterable[str]) -> int:
        """Delete labels and rename the faces of their media accordingly. Return how many."""

    @abstractmethod
    def list_labels(
        self, media_ids: Sequence[str] = (), persons: Sequence[str] = ()
    ) -> list[Label]:
        """Return labels in order of id: of the media and the persons, where given."""

    @abstractmethod
    def list_people(self) -> list[Person]:
        """Return the names that faces carry, in order of name."""

    @abstractmethod
    def rename_person(self, old: str, new: str) -> int:
        """Give every label and face of `old` the name `new` (merging if it exists).

        Returns the number of faces renamed. Raises NotFound if no label and no face has `old`.
        """

    @abstractmethod
    def forget_person(self, name: str) -> Deleted:
        """Delete a person's faces, the labels on them and all labels with the name, for good.

        Raises NotFound if no label and no face has the name.
        """
