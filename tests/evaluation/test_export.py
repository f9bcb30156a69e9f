"""The vectors of an index go to a file with ids, on either engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from indexer.errors import EnvironmentFailure, NotFound, UsageError
from indexer.export import export_vectors
from indexer.records import Filters
from tests.engines.builders import (
    MODEL,
    add_photo,
    add_video,
    at_cosine,
    axis,
    make_label,
    photo,
    put_path,
    video,
)

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.engines.base import Index


@pytest.fixture
def filled(index: Index) -> Index:
    """Ann and a stranger in a photo that lies at two places, and Ben in a video."""
    ann, _ = add_photo(index, "both", axis(0), axis(1), path="/p/b.jpg")
    put_path(index, photo("both"), "/p/a.jpg")
    ((ben, *_),) = add_video(index, "clip", (2.0, 6.0, [axis(2), at_cosine(0.6)]))
    put_path(index, video("clip"), "/p/clip.mp4")
    index.label([make_label(ann, "Ann"), make_label(ben, "Ben Bé")])
    return index


def rows_of(file: Path) -> list[dict[str, Any]]:
    """The rows of either format, with nobody's name as None."""
    if file.suffix == ".parquet":
        return pyarrow.parquet.read_table(file).to_pylist()
    with np.load(file) as arrays:
        columns = {name: arrays[name].tolist() for name in arrays.files}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return [row | {"person": row["person"] or None} for row in rows]


def test_each_face_is_a_row_with_all_that_tells_what_it_is(filled: Index, tmp_path: Path) -> None:
    files = tmp_path / "faces.npz", tmp_path / "faces.parquet"
    faces = list(filled.iter_faces(embeddings=True))
    assert [export_vectors(filled, file, batch=3) for file in files] == [len(faces)] * 2 == [4] * 2
    paths = {photo("both").id: "/p/a.jpg", video("clip").id: "/p/clip.mp4"}
    assert (
        rows_of(files[0])
        == rows_of(files[1])
        == [
            {
                "face_id": face.id,
                "media_id": face.media_id,
                "path": paths[face.media_id],
                "person": face.person,
                "timestamp_s": face.timestamp_s,
                "box": list(face.box_xyxy),
                "frame": [face.frame_width, face.frame_height],
                "probability": face.probability,
                "model": MODEL.key,
                "vector": face.vector.tolist(),
            }
            for face in faces
        ]
    )
    assert {face.person for face in faces} == {"Ann", "Ben Bé", None}


def test_vectors_are_float32_in_one_array(filled: Index, tmp_path: Path) -> None:
    export_vectors(filled, tmp_path / "f.npz")
    export_vectors(filled, tmp_path / "f.parquet")
    with np.load(tmp_path / "f.npz") as arrays:
        vectors = arrays["vector"]
    assert (vectors.dtype, vectors.shape) == (np.float32, (4, 8))
    table = pyarrow.parquet.read_table(tmp_path / "f.parquet")
    assert table.schema.field("vector").type == pyarrow.list_(pyarrow.float32(), 8)
    assert (np.stack(table["vector"].to_numpy()) == vectors).all()


def test_filters_choose_the_faces(filled: Index, tmp_path: Path) -> None:
    for filters, persons in (
        (Filters(persons=("Ann", "Ben Bé")), {"Ann", "Ben Bé"}),
        (Filters(unnamed=True), {None}),
        (Filters(kind="video"), {"Ben Bé"}),
    ):
        count = export_vectors(filled, tmp_path / "f.npz", filters)
        rows = rows_of(tmp_path / "f.npz")
        assert count == len(rows) == filled.count(filters)
        assert {row["person"] for row in rows} == persons
    with pytest.raises(NotFound, match="no faces"):
        export_vectors(filled, tmp_path / "none.parquet", Filters(persons=("Cy",)))
    assert not list(tmp_path.glob("*none.parquet*"))


def test_where_nothing_can_be_written_it_is_told_before_faces_are_read(
    index: Index, tmp_path: Path
) -> None:
    add_photo(index, "a", axis(0))
    with pytest.raises(EnvironmentFailure, match="cannot be written"):
        export_vectors(index, tmp_path / "none" / "f.parquet")
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(UsageError, match="a folder"):
        export_vectors(index, tmp_path / "folder.npz")
    with pytest.raises(UsageError, match=r"\.npz or \.parquet"):
        export_vectors(index, tmp_path / "f.csv")
