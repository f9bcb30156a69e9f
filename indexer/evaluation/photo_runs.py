"""A run over photos: index -> features -> reduction -> store -> measures -> outcome."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from indexer.embeddings.base import wants_whole_pictures
from indexer.engines.elastic.location import is_on_cluster
from indexer.errors import OutOfReach, UsageError, WeightsUnavailable
from indexer.evaluation.code import LIBRARIES, STORE_LIBRARIES
from indexer.evaluation.embedding import embedded, only
from indexer.evaluation.machine import describe
from indexer.evaluation.matrix import specs_of
from indexer.evaluation.measuring import Measured, with_reduction
from indexer.evaluation.model_choice import FEATURES, chosen_spec, deciding, path_of
from indexer.evaluation.photo_folder import Photos, person_of, select
from indexer.evaluation.plans import Plan, without_blanks
from indexer.evaluation.records import Features, Outcome
from indexer.evaluation.storing import stored
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from indexer.evaluation.loading import Loader
    from indexer.evaluation.material import Material
    from indexer.evaluation.matrix import PhotoRun
    from indexer.evaluation.progress import Watcher
    from indexer.evaluation.work_folder import WorkFolder
    from indexer.records import ModelIdentity
    from indexer.settings import Settings


CLUSTER = "elasticsearch"
"""What a store begins with that needs a cluster."""

TOO_FEW_FOR_GROUPS = (
    "groups are not compared: the vectors have no threshold, and the photos make too few pairs to "
    "measure one"
)


@dataclass(frozen=True)
class Choice:
    """What a run is done with: the model, settings, photos, and the store with its address."""

    spec: str
    settings: Settings
    photos: Photos
    store: str | None


@dataclass(frozen=True)
class Vectors:
    """Features before any reduction, what made them, and in how many seconds, where known."""

    features: Features
    identity: ModelIdentity | None = None
    took_s: float | None = None

    @property
    def of_whole_pictures(self) -> bool:
        """Whether no faces were looked for."""
        return self.identity is not None and wants_whole_pictures(self.identity)


class PhotoRuns:
    """Plans runs over photos and does them; runs with the same vectors make them once.

    work: where indexes are kept, and stores keep files while they are open.
    """

    def __init__(
        self,
        material: Material,
        loader: Loader,
        watcher: Watcher,
        *,
        work: WorkFolder,
        models: Path | None,
        elasticsearch: str,
        seed: int,
    ) -> None:
        self._material = material
        self._loader = loader
        self._watcher = watcher
        self._work = work
        self._models = models
        self._elasticsearch = elasticsearch
        self._seed = seed
        self._photos: dict[tuple[str, int | None], Photos] = {}
        self._latest: tuple[tuple[Any, ...], Vectors] | None = None

    def plan(self, run: PhotoRun, settings: Settings) -> Plan:
        """Plan a run under its settings. Raises WeightsUnavailable, OutOfReach, UsageError."""
        spec = chosen_spec(specs_of(run), self._models)
        choice = Choice(spec, settings, self._photos_of(run), self._store_of(run, settings))
        cluster = settings.elasticsearch
        decided_by = {
            "kind": "photos",
            "run": {k: v for k, v in asdict(run).items() if k not in ("name", "about", "model")},
            "model": deciding(spec, settings),
            "options": settings.options_for("photo"),
            "cluster": (cluster.vector_type, cluster.num_candidates, cluster.oversample),
            "photos": choice.photos.digest,
            "files": dict(self._material.digests),
            "seed": self._seed,
        }
        told = _configuration(run, choice)
        return Plan(decided_by, told, lambda: self._outcome(run, choice, told))

    def _outcome(self, run: PhotoRun, choice: Choice, told: Mapping[str, Any]) -> Outcome:
        vectors = self._vectors_of(choice)
        features, identity = vectors.features, vectors.identity
        if not len(features.names):
            raise UsageError(f"No face was found on any of {len(choice.photos.names)} photos.")
        if run.pca is not None:
            self._watcher.step(f"reducing to {run.pca} dimensions")
            features, identity = with_reduction(features, run.pca, whiten=run.whiten), None
        found = None
        if choice.store is not None:
            self._watcher.step(f"searching in {choice.store.partition('@')[0]}")
            found = stored(
                features.vectors,
                choice.store,
                run.metric,
                self._work.folder / "stores",
                choice.settings,
            )
        self._watcher.step("measuring")
        measured = Measured(features, faces_looked_for=not vectors.of_whole_pictures)
        selected = set(choice.photos.names)
        pairs = [p for p in self._material.pairs if {p.first, p.second} <= selected]
        measured.take(run.measures, pairs=pairs, metric=run.metric, stored=found, seed=self._seed)
        if self._material.attributes is not None:
            measured.compare_groups(self._material.attributes, identity)
            if not measured.metrics["by_group"]:
                self._watcher.warn(TOO_FEW_FOR_GROUPS)
        measured.metrics["stage_s"] = dict(features.stage_s)
        if vectors.took_s is not None:
            measured.metrics["took_s"] = vectors.took_s
        return Outcome(
            name=run.name,
            kind="photos",
            state="done",
            configuration=told,
            metrics=measured.metrics,
            arrays=measured.arrays,
            made_with=self._made_with(choice, vectors, found.server if found else None),
        )

    def _photos_of(self, run: PhotoRun) -> Photos:
        asked = run.photos, run.most_photos
        if asked not in self._photos:
            material = self._material
            if run.photos == "pairs" and not material.pairs:
                raise UsageError(f"{run.name} wants the photos of the pairs: give --pairs FILE.")
            names = material.names if run.photos == "all" else material.paired
            self._photos[asked] = select(material.folder, names, most_photos=run.most_photos)
        return self._photos[asked]

    def _store_of(self, run: PhotoRun, settings: Settings) -> str | None:
        """Return the store, one on a cluster with the address that was given.

        Raises OutOfReach for a cluster where none was.
        """
        if run.store is None or not run.store.startswith(CLUSTER) or "@" in run.store:
            return run.store
        if self._elasticsearch:
            return f"{run.store}@{self._elasticsearch}"
        if not is_on_cluster(settings.index):
            raise OutOfReach(f"The store {run.store} needs a cluster: give --elasticsearch URL.")
        return run.store

    def _vectors_of(self, choice: Choice) -> Vectors:
        """Return the vectors that a model makes; runs that follow each other may share them."""
        asked = choice.spec, choice.settings, choice.photos.digest
        if self._latest is None or self._latest[0] != asked:
            self._latest = None
            self._latest = asked, self._made(choice)
        return self._latest[1]

    def _made(self, choice: Choice) -> Vectors:
        if choice.spec.startswith(FEATURES):
            return Vectors(_read(choice))
        self._watcher.step("loading the model")
        networks = self._loader.load(choice.spec, choice.settings)
        self._watcher.step("embedding")
        folder = self._work.indexes("photos", choice.settings)
        features, took_s = embedded(choice.photos, networks, folder, self._watcher)
        return Vectors(features, networks.embedder.identity, took_s)

    def _made_with(self, choice: Choice, vectors: Vectors, server: str | None) -> dict[str, Any]:
        identity = vectors.identity
        made: dict[str, Any] = {
            **describe("sightings", *LIBRARIES, *STORE_LIBRARIES),
            "seed": self._seed,
            "photos_sha256": choice.photos.digest,
            **{f"{name}_sha256": digest for name, digest in self._material.digests.items()},
            "model": vectors.features.model,
        }
        if server is not None:
            made["server"] = server
        if identity is not None:
            made["recipe"] = identity.recipe
            made["weights_sha256"] = identity.weights_sha256
            made["licence"] = identity.licence
        return made


def _configuration(run: PhotoRun, choice: Choice) -> dict[str, Any]:
    return without_blanks(
        {
            "about": run.about,
            "model": said(choice.spec),
            "settings": run.settings,
            "photos": "of the pairs" if run.photos == "pairs" else None,
            "most_photos": run.most_photos,
            "pca": run.pca,
            "whiten": run.whiten,
            "store": choice.store.partition("@")[0] if choice.store else None,
            "metric": run.metric,
        }
    )


def said(spec: str) -> str:
    """Return a spec with the names of its files alone, e.g. `facenet:facenet-vggface2.pt`."""
    path = path_of(spec)
    if path is None:
        return spec
    family, _, rest = spec.partition(":")
    options = rest.partition("?")[2]
    kept = "&".join(o for o in options.split("&") if o and not o.startswith("card="))
    return f"{family}:{path.name}{'?' if kept else ''}{kept}"


def _read(choice: Choice) -> Features:
    """Return the vectors of a file, of the photos that are to be measured."""
    from indexer.evaluation.features import read_features

    path = path_of(choice.spec)
    if path is None:
        raise WeightsUnavailable(f"{choice.spec} names no file of vectors.")
    features = only(read_features(path, choice.photos.folder), choice.photos.names)
    if not len(features.names):
        raise UsageError(
            f"{path} has no vector of any of the {len(choice.photos.names)} photos in "
            f"{choice.photos.folder}; its names should be as {choice.photos.names[0]}."
        )
    for name, person in zip(features.names, features.persons, strict=True):
        if person != person_of(name):
            raise UsageError(
                f"{shown(path)} says that {shown(name)} shows {shown(person)}; whom a photo shows "
                "is said by its folder, and the two must agree."
            )
    return replace(features, model=features.model or path.name)
