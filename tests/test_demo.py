"""The demonstration finds both people when they are seen, and says which model it picked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from indexer.demo import pick_model
from indexer.settings import Settings
from tests.cli.running import sightings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Run


@dataclass(frozen=True)
class Demo:
    folder: Path
    run: Run


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    return Demo(folder, sightings("demo", "--dir", folder, "--model", "dlib"))


@pytest.fixture
def unreachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No weights in the cache, and nobody who answers."""
    monkeypatch.setenv("SIGHTINGS_CACHE", str(tmp_path))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # the discard port


@pytest.mark.slow
def test_it_indexes_everything_and_finds_the_query(demo: Demo) -> None:
    assert demo.run.code == 0
    assert "4 done, 0 skipped, 0 failed;" in demo.run.out
    table = demo.run.out[demo.run.out.index("#  verdict") :].splitlines()
    assert {line.split("  ")[1] for line in table[1:3]} == {"same person"}
    assert any("00:02.0–00:06.0, 00:15.0–00:19.0" in line for line in table)
    assert demo.run.err == "Model: dlib, because it was asked for.\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("person", "spans"),
    [("eileen", [(2.0, 6.0), (15.0, 19.0)]), ("grace", [(9.0, 13.0), (15.0, 19.0)])],
)
def test_both_people_are_found_in_the_video_to_the_frame(
    demo: Demo, person: str, spans: list[tuple[float, float]]
) -> None:
    run = sightings("search", "--index", demo.folder / "demo.sightings", "--json",
                    demo.folder / "media" / f"{person}.png")  # fmt: skip
    assert sorted(run.found) == sorted([f"{person}.png", "pioneers.mp4"])
    (video,) = (r for r in run.document["results"] if r["media"]["kind"] == "video")
    found = [(span["start_s"], span["end_s"]) for span in video["appearances"]]
    # The last frame of a shot is shown from 1/25 s before its end.
    assert found == [pytest.approx((start_s, end_s - 0.04)) for start_s, end_s in spans]
    assert {result["verdict"] for result in run.document["results"]} == {"same person"}


@pytest.mark.slow
def test_it_writes_a_contact_sheet_of_the_query_and_both_results(demo: Demo) -> None:
    with Image.open(demo.folder / "sheet.png") as sheet:
        assert sheet.format == "PNG"
        assert sheet.width > 3 * 160


@pytest.mark.slow
def test_a_second_run_keeps_the_index_and_its_model(demo: Demo) -> None:
    again = sightings("demo", "--dir", demo.folder)
    assert again.code == 0
    assert "0 done, 4 skipped, 0 failed" in again.out
    assert again.err.startswith("Model: dlib, because an earlier run made ")


def test_the_model_that_was_asked_for_is_taken() -> None:
    assert pick_model(Settings(model="onnx:net.onnx")) == ("onnx:net.onnx", "it was asked for")


def test_facenet_is_picked_where_its_weights_are(tmp_path: Path) -> None:
    weights = tmp_path / "weights.pt"
    weights.touch()
    spec, reason = pick_model(Settings(facenet_weights=str(weights)))
    assert (spec, reason) == ("facenet", f"its weights are there: {weights}")


@pytest.mark.usefixtures("unreachable")
def test_dlib_is_picked_where_facenets_weights_cannot_be_had() -> None:
    spec, reason = pick_model(Settings())
    assert spec == "dlib"
    assert "20180402-114759-vggface2.pt did not answer within 3 s" in reason
