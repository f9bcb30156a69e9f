"""A matrix file: what it may hold, and what is said of what it may not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.embeddings.card import read_card
from indexer.embeddings.preparation import preparation_of
from indexer.errors import UsageError, WeightsUnavailable
from indexer.evaluation.matrix import (
    COMING_ALONG,
    CROPS,
    FOLDER,
    KEYFRAMES,
    MEASURES,
    STUDIES,
    Matrix,
    read_matrix,
    specs_of,
)
from indexer.evaluation.model_choice import chosen_spec, path_of
from indexer.settings import load

RUN = '[[photos]]\nname = "one"\nmodel = "dlib"\n'


def matrix_of(folder: Path, text: str) -> Matrix:
    file = folder / "runs.toml"
    file.write_text(text, encoding="utf-8")
    return read_matrix(file)


def test_runs_are_listed_with_what_they_do_not_say(tmp_path: Path) -> None:
    matrix = matrix_of(
        tmp_path,
        """
        title = "Crops"
        seed = 3

        [[video]]
        name = "frames"
        model = "dlib"
        settings = { "keyframes.strategy" = "fps=1" }

        [[photos]]
        name = "reduced"
        model = ["resnet50:{models}/r.pth?crop=whole", "resnet50?crop=whole"]
        settings = { "faces.min_face_px" = 20, "faces.device" = "cpu" }
        photos = "pairs"
        most_photos = 10
        pca = 900
        whiten = true
        store = "milvus:IVF_FLAT"
        metric = "euclidean"
        measures = ["retrieval"]
        """,
    )
    (photos,), (video,) = matrix.photos, matrix.video
    assert (matrix.title, matrix.seed) == ("Crops", 3)
    assert matrix.runs == (photos, video)
    assert specs_of(photos) == ("resnet50:{models}/r.pth?crop=whole", "resnet50?crop=whole")
    assert photos.settings == {"faces.min_face_px": 20, "faces.device": "cpu"}
    assert (photos.photos, photos.most_photos, photos.pca) == ("pairs", 10, 900)
    assert (photos.whiten, photos.store, photos.metric) == (True, "milvus:IVF_FLAT", "euclidean")
    assert photos.measures == ("retrieval",)
    assert (video.settings, video.ranking) == ({"keyframes.strategy": "fps=1"}, "search")
    assert specs_of(video) == ("dlib",)


def test_a_run_that_says_little_measures_everything_in_memory(tmp_path: Path) -> None:
    (run,) = matrix_of(tmp_path, RUN).photos
    assert (run.photos, run.pca, run.store, run.metric) == ("all", None, None, "cosine")
    assert run.measures == MEASURES


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[photos]]\nname = "one"\nmodle = "dlib"', "photos run 1 (one), modle:"),
        ('[[photos]]\nname = "one"\nmodel = []', "photos run 1 (one), model"),
        (RUN + "pca = 0", "photos run 1 (one), pca:"),
        (RUN + 'pca = "many"', "photos run 1 (one), pca:"),
        ('[[video]]\nname = "v"\nmodel = "dlib"\nseed = -1', "video run 1 (v), seed:"),
        (RUN + "whiten = true", "whiten needs pca"),
        (RUN + 'measures = ["speed"]', "photos run 1 (one), measures, 0:"),
        (RUN + "measures = []", "measures must name at least one"),
        (RUN + RUN, "two runs named 'one'"),
        (RUN + '[[video]]\nname = "one"\nmodel = "dlib"', "two runs named 'one'"),
        (RUN + '[[video]]\nname = "v"\nmodel = "dlib"\nranking = "best"', "video run 1 (v), rank"),
        ("speed = 1\n" + RUN, "speed:"),
        ("title = 1 2", "line 1"),
        ("photos = 3", "photos:"),
        ('title = "nothing"', "lists no runs"),
        (RUN + 'store = "shelf"', "one: there is no store 'shelf'"),
        ('[[photos]]\nname = "one"\nmodel = "onnx:{weights}/a.onnx"', "{weights} stands for"),
        (RUN + 'settings = { "faces.min_face" = 9 }', "one, settings: Unknown setting"),
        (RUN + 'settings = { "faces.min_face_px" = 1 }', "one, settings: The setting faces.min"),
    ],
)
def test_what_is_wrong_is_said_with_the_run_or_the_line(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(said)) as caught:
        matrix_of(tmp_path, text)
    assert "runs.toml" in str(caught.value)


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    assert matrix_of(tmp_path, f"\ufeff{RUN}").runs == matrix_of(tmp_path, RUN).runs


def test_a_matrix_that_is_not_there_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml cannot be read"):
        read_matrix(tmp_path / "nowhere.toml")


def test_here_is_the_folder_of_the_matrix(tmp_path: Path) -> None:
    (run,) = matrix_of(
        tmp_path, '[[photos]]\nname = "a"\nmodel = "onnx:{here}/a.onnx?card={here}/b.json"'
    ).photos
    assert specs_of(run) == (f"onnx:{tmp_path}/a.onnx?card={tmp_path}/b.json",)


def test_the_first_model_whose_file_is_there_is_taken(tmp_path: Path) -> None:
    specs = ("resnet50:{models}/a.pth?crop=whole", "resnet50:{models}/b.pth", "resnet50")
    (tmp_path / "b.pth").touch()
    assert chosen_spec(specs, tmp_path) == f"resnet50:{tmp_path}/b.pth"
    (tmp_path / "a.pth").touch()
    assert chosen_spec(specs, tmp_path) == f"resnet50:{tmp_path}/a.pth?crop=whole"
    assert chosen_spec(specs, None) == "resnet50"


def test_a_file_that_is_gone_is_passed_over_wherever_it_would_lie(tmp_path: Path) -> None:
    (run,) = matrix_of(
        tmp_path, '[[photos]]\nname = "a"\nmodel = ["facenet:{here}/gone.pt", "facenet"]'
    ).photos
    assert chosen_spec(specs_of(run), None) == "facenet"
    there = tmp_path / "there.onnx"
    there.touch()
    specs = (f"onnx:{tmp_path}/gone.onnx?card=c.json", f"onnx:{there}?card=c.json", "dlib")
    assert chosen_spec(specs, None) == f"onnx:{there}?card=c.json"


def test_where_no_model_can_be_taken_all_that_was_looked_for_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnavailable, match=r"a\.pth is not in .*; b\.pth is not in"):
        chosen_spec(["resnet50:{models}/a.pth", "resnet50:{models}/b.pth"], tmp_path)
    with pytest.raises(WeightsUnavailable, match="--models"):
        chosen_spec(["resnet50:{models}/a.pth"], None)
    with pytest.raises(WeightsUnavailable, match=r"there is no file .*a\.pth; b\.pth is not in"):
        chosen_spec([f"resnet50:{tmp_path}/a.pth", "resnet50:{models}/b.pth"], tmp_path)


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("dlib", None),
        ("resnet50?crop=whole", None),
        ("facenet:/w/f.pt", Path("/w/f.pt")),
        ("features:/w/what?.npz", Path("/w/what?.npz")),
        ("onnx:/w/n.onnx?card=/c/n.json", Path("/w/n.onnx")),
        ("vgg16:/w/v.pth?crop=region", Path("/w/v.pth")),
    ],
)
def test_a_spec_says_where_its_weights_are(spec: str, path: Path | None) -> None:
    assert path_of(spec) == path


def test_the_studies_are_all_in_their_matrix() -> None:
    matrix = read_matrix(STUDIES)
    assert {run.name[:3] for run in matrix.runs} >= {"000", "001", "002", "003", "004"}
    models = {spec.partition(":")[0].partition("?")[0] for r in matrix.runs for spec in specs_of(r)}
    assert models == {
        "dlib", "facenet", "inceptionv3", "mobilenet", "onnx", "resnet152", "resnet50", "vgg16",
    }  # fmt: skip
    stores = {(run.store or "memory").partition(":")[0] for run in matrix.photos}
    assert stores == {"elasticsearch", "embedded", "memory", "milvus", "scikit-learn"}
    assert {run.pca for run in matrix.photos} >= {700, 900}


def test_what_was_measured_with_the_defaults_of_its_day_stays_at_them() -> None:
    """Row by row as in docs/evaluation.md; other defaults must not move what a study is told by."""
    settings = {run.name: load(run.settings, environment={}) for run in read_matrix(STUDIES).video}
    once = settings["Key frames, 8, 30, 1 s, MobileFaceNet"].keyframes
    assert (once.min_delta_e, once.min_cell_delta_e, once.max_gap_s) == (8, 30, 1)
    study = settings["000 previous frame compared, MobileFaceNet"].keyframes
    assert study == replace(once, reference="previous")


def test_the_crops_are_of_the_photos_of_the_pairs_and_of_four_networks() -> None:
    runs = read_matrix(CROPS).photos
    assert {run.photos for run in runs} == {"pairs"}
    prepared = {
        preparation_of(spec.partition("?")[2])
        for run in runs
        for spec in specs_of(run)
        if spec.startswith("facenet")
    }
    assert {(each.crop, each.margin_px, each.mirror) for each in prepared} == {
        ("region", 0, True), ("region", 14, True), ("region", 32, True), ("region", 44, True),
        ("aligned", 32, True), ("region", 32, False), ("region", 14, False),
    }  # fmt: skip
    assert {specs_of(run)[0].partition(":")[0] for run in runs} == {"facenet", "onnx", "dlib"}


def test_settings_of_key_frames_are_tried_on_three_sets_each_with_every_frame() -> None:
    """Those of the table in docs/evaluation.md; the defaults are among them."""
    tried: dict[int | None, set[tuple[float, float, float] | str]] = {}
    for run in read_matrix(KEYFRAMES).video:
        frames = load(run.settings, environment={}).keyframes
        figures = (frames.min_delta_e, frames.min_cell_delta_e, frames.max_gap_s)
        every = frames.strategy == "all"
        tried.setdefault(run.seed, set()).add("every" if every else figures)
    grid = {
        "every", (8, 30, 1), (10, 50, 0.8), (12, 45, 0.6), (12, 50, 0.8), (12, 60, 0.8),
        (14, 50, 0.7), (14, 55, 0.6), (16, 60, 0.5),
    }  # fmt: skip
    assert tried == {None: grid, 8: grid, 9: grid}


def test_every_matrix_that_lies_here_has_a_name_and_is_one() -> None:
    assert {f"{name}.toml" for name in COMING_ALONG} == {p.name for p in FOLDER.glob("*.toml")}
    for name, file in COMING_ALONG.items():
        assert file == FOLDER / f"{name}.toml"
        assert read_matrix(file).runs


@pytest.mark.parametrize("matrix", COMING_ALONG.values(), ids=COMING_ALONG)
def test_the_cards_of_a_matrix_are_beside_it(matrix: Path) -> None:
    cards = {
        spec.partition("?card=")[2]
        for run in read_matrix(matrix).runs
        for spec in specs_of(run)
        if spec.startswith("onnx:")
    }
    assert cards
    assert len({read_card(Path(card)).recipe for card in cards}) == len(cards)


def test_the_example_in_the_documentation_is_a_matrix(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "evaluation.md"
    (example,) = re.findall(r"^```toml\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    matrix = matrix_of(tmp_path, example)
    assert [run.name for run in matrix.runs] == [
        "MobileFaceNet, on the cluster",
        "FaceNet, 128 dimensions",
        "Every frame",
    ]
