"""The report says of every run what came of it, in three files that tell the same."""

from __future__ import annotations

import csv
import json
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from indexer.errors import EnvironmentFailure, MissingExtra
from indexer.evaluation.records import Outcome
from indexer.evaluation.report import write_report
from tests.evaluation.outcomes import BAD_NAME, matrix, photo_outcome, video_outcome
from tests.evaluation.pages import Element, read_page, row_of

if TYPE_CHECKING:
    from pathlib import Path

OUTCOMES = matrix()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("report") / "new"
    assert write_report(OUTCOMES, made, photos=None, title="A matrix") == made / "report.html"
    return made


@pytest.fixture(scope="module")
def page(folder: Path) -> Element:
    return read_page(folder / "report.html")


def written(folder: Path, *outcomes: Outcome, **options) -> Element:
    options = {"photos": None, "title": "Few"} | options
    return read_page(write_report(outcomes, folder, **options))


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda each: each.name)
def test_every_run_has_its_row_and_those_not_done_their_reason(page, outcome) -> None:
    table = page.one("table", id="table-summary" if outcome.kind == "photos" else "table-video")
    row = table.one("tr", data_run=outcome.name)
    assert row.attributes["class"] == outcome.state
    if outcome.state == "done":
        assert len(row.all("td")) > 5
    else:
        assert row.one("td").text == f"{outcome.state} {outcome.reason}"


def test_the_head_counts_what_came_of_the_runs(page) -> None:
    assert "13 runs: 10 done, 2 skipped, 1 failed" in page.one("header").text


def test_figures_of_the_summary_are_the_metrics(page) -> None:
    metrics = OUTCOMES[0].metrics
    row = row_of(page, "summary", OUTCOMES[0].name)
    expected = {
        "Accuracy": metrics["accuracy"],
        "AUC": metrics["auc"],
        "EER": metrics["eer"],
        **{
            f"TAR at {far}, all pairs": metrics["all_pairs"]["tar_at_far"][far]
            for far in ("1e-3", "1e-4", "1e-5")
        },
        "Top 20 of existing": metrics["top20_of_existing"],
        "mAP": metrics["map"],
        "1-NN": metrics["knn_leave_one_out"],
        "Detected": 0.998,
        "Dimensions": 32,
        "Time": 61.25 + 4.5 * 32 + 0.25,
    }
    assert {title: float(cell.attributes["data-value"]) for title, cell in row.items()} == expected
    texts = {title: cell.one("span", class_="figure").text for title, cell in row.items()}
    accuracy = f"{100 * metrics['accuracy']:.2f} ± {100 * metrics['accuracy_std']:.2f} %"
    assert texts["Accuracy"] == accuracy
    assert texts["mAP"] == f"{metrics['map']:.4f}"
    assert texts["Detected"] == "99.80 %"
    assert texts["Time"] == "3 min 26 s"


def test_what_a_run_did_not_measure_is_a_dash(page) -> None:
    row = row_of(page, "summary", "bare")
    assert row.pop("Accuracy").text == "75.00 %"
    assert {cell.text for cell in row.values()} == {"–"}


def test_the_best_of_a_column_is_marked(page) -> None:
    def best(title: str) -> set[str]:
        runs = [each.name for each in OUTCOMES if each.kind == "photos" and each.state == "done"]
        cells = {run: row_of(page, "summary", run)[title] for run in runs}
        return {run for run, cell in cells.items() if cell.attributes.get("class") == "best"}

    assert best("Dimensions") == {"mobilefacenet"}
    assert best("Time") == {"mobilefacenet"}
    assert "resnet50, whole photo" not in best("mAP")
    at = {row.one("th").own_text: row.all("td") for row in _body(page, "best")}
    assert at["Dimensions"][0].text == "mobilefacenet"
    assert at["Dimensions"][1].text == "16"


def test_who_left_pairs_out_is_not_the_best_at_them(folder: Path) -> None:
    first, second = OUTCOMES[0], replace(OUTCOMES[0], name="fewer pairs")
    fewer = {"accuracy": 1.0, "pairs": first.metrics["pairs"] - 1}
    other = replace(first, name="other", metrics={**first.metrics, "accuracy": 0.6})
    second = replace(second, metrics={**second.metrics, **fewer})
    page = written(folder / "fewer", first, second, other)
    marked = {
        each.name: row_of(page, "summary", each.name)["Accuracy"].attributes.get("class")
        for each in (first, second, other)
    }
    assert [name for name, mark in marked.items() if mark == "best"] == [first.name]


def test_thresholds_come_with_the_pairs_behind_them(page) -> None:
    pairs = OUTCOMES[0].metrics["all_pairs"]
    row = row_of(page, "thresholds", OUTCOMES[0].name)
    assert float(row["Different pairs"].attributes["data-value"]) == pairs["different"]
    for far in ("1e-2", "1e-3", "1e-4", "1e-5"):
        cell = row[f"FAR {far}"]
        assert float(cell.attributes["data-value"]) == pairs["threshold_at_far"][far]
        assert f"accepts {100 * pairs['tar_at_far'][far]:.2f} %" in cell.text
    behind = int(pairs["different"] * 1e-3)
    assert row["FAR 1e-3"].text.endswith(f"rests on {behind} false accepts")


def test_a_rate_that_the_protocols_pairs_cannot_tell_has_no_column(tmp_path: Path) -> None:
    """LFW has 3,000 pairs of different people: 1e-4 of them is less than one."""
    first = OUTCOMES[0]
    rates = {**first.metrics["tar_at_far"], "1e-4": None}
    outcome = replace(first, metrics={**first.metrics, "tar_at_far": rates}, arrays={})
    row = row_of(written(tmp_path, outcome), "verification", first.name)
    assert {"TAR at FAR 1e-2", "TAR at FAR 1e-3"} <= row.keys()
    assert "TAR at FAR 1e-4" not in row


def test_curves_by_distance_are_drawn_where_they_are_others(tmp_path: Path) -> None:
    plain, curve = OUTCOMES[0], {}
    for name in ("far", "tar"):
        curve[f"roc_euclidean_{name}"] = plain.arrays[f"roc_{name}"]
    reduced = replace(plain, name="reduced", arrays={**plain.arrays, **curve})
    for outcome, drawn in ((plain, False), (reduced, True)):
        section = written(tmp_path, outcome).one("section", id="verification")
        assert ("ROC curves by Euclidean distance" in section.text) is drawn


def test_that_pca_knew_the_photos_it_is_measured_on_is_said(tmp_path: Path) -> None:
    plain, reduced = (
        replace(photo_outcome(name, **configuration), arrays={})
        for name, configuration in (("plain", {}), ("reduced", {"pca": 16}))
    )
    for outcome, said in ((plain, False), (reduced, True)):
        section = written(tmp_path, outcome).one("section", id="verification")
        assert ("PCA was fitted to the very vectors that are measured" in section.text) is said


def test_false_hits_grow_with_the_gallery(page) -> None:
    rows = {row.attributes["data-run"]: row.all("td") for row in _body(page, "galleries")}
    assert [cell.text for cell in rows["1,000"]] == ["10", "1", "0.1", "0.01"]
    assert [float(cell.attributes["data-value"]) for cell in rows["1,000,000"]] == (
        pytest.approx([10_000, 1_000, 100, 10])
    )


def test_runs_on_the_same_vectors_are_drawn_once(page) -> None:
    legend = page.all("ul", class_="legend")[0].text
    assert "facenet, margin 32 and the same vectors in 2 more: facenet in Milvus" in legend
    assert {row.attributes["data-run"] for row in _body(page, "stores")} == {
        "facenet in Milvus", "facenet in one file",
    }  # fmt: skip
    assert row_of(page, "stores", "facenet in Milvus")["Recall at 20"].text.startswith("98.75 %")


def test_settings_that_meet_the_goals_for_video_are_marked(page) -> None:
    rows = _body(page, "video")
    marked = {row.attributes["data-run"] for row in rows if "meets both goals" in row.text}
    assert marked == {"key frames, ΔE 8"}
    assert row_of(page, "video", "key frames, ΔE 8")["Documents"].text == "295 ★"


def test_limits_of_the_data_are_told_and_groups_where_there_are_any(page, tmp_path) -> None:
    groups = page.one("section", id="groups").text
    assert "No attributes of the people were given" in groups
    assert "mostly white men" in groups
    by_group = [{"attribute": "hair", "group": "grey", "people": 1200, "photos": 5000,
                 "same": 40, "different": 12_000, "pairs": 12_040, "accuracy": 0.9,
                 "tar": 0.8, "far": 18 / 12_000, "false_accepts": 18}]  # fmt: skip
    other = written(tmp_path, Outcome("a", "photos", "done", metrics={"by_group": by_group}))
    row = row_of(other, "groups-0", "hair: grey")
    assert {title: cell.text for title, cell in row.items()} == {
        "People": "1,200", "Photos": "5,000", "Same pairs": "40", "Different pairs": "12,000",
        "Accuracy": "90.00 %", "TAR": "80.00 %", "False accepts": "18", "FAR": "1.5e-3",
    }  # fmt: skip


def test_what_made_the_runs_is_told_once_where_they_share_it(page) -> None:
    origin = page.one("section", id="origin")
    shared = [dl for dl in origin.children if dl.tag == "dl"]
    assert "versions.numpy 2.2.0" in shared[0].text
    assert f"{2:064x}" not in shared[0].text
    assert f"{2:064x}" in origin.text


def test_the_page_asks_for_nothing_from_elsewhere(folder: Path, page) -> None:
    for each in page.walk():
        for name in ("src", "href", "action", "data", "srcset", "poster"):
            value = each.attributes.get(name) or ""
            assert not value or value.startswith(("data:", "#")), value
        assert each.tag not in ("script", "iframe", "object", "embed", "form", "base")
    text = (folder / "report.html").read_text()
    assert not re.findall(r"@import|https?://", text)
    assert not [u for u in re.findall(r"url\(([^)]*)\)", text) if not u.startswith(("#", "data:"))]
    ids = [e.attributes["id"] for e in page.walk() if "id" in e.attributes]
    assert len(ids) == len(set(ids))


def test_json_holds_everything_but_arrays(folder: Path) -> None:
    told = json.loads((folder / "report.json").read_text())
    assert told["title"] == "A matrix"
    for record, outcome in zip(told["outcomes"], OUTCOMES, strict=True):
        for name in ("name", "kind", "state", "reason", "configuration", "metrics", "made_with"):
            assert record[name] == getattr(outcome, name)


def test_csv_has_a_row_for_each_run_in_flat_columns(folder: Path) -> None:
    with (folder / "report.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["name"] for row in rows] == [each.name for each in OUTCOMES]
    first, metrics = rows[0], OUTCOMES[0].metrics
    assert float(first["metrics.tar_at_far.1e-3"]) == metrics["tar_at_far"]["1e-3"]
    assert float(first["metrics.by_photos.2-3.map"]) == metrics["by_photos"][0]["map"]
    assert first["configuration.crop"] == "margin 32"
    assert first["made_with.machine.cores"] == "2"
    assert rows[5]["reason"] == "its weights are out of reach"
    assert {value for name, value in rows[5].items() if name.startswith("metrics.")} == {""}


def test_names_are_text_wherever_they_stand(tmp_path: Path) -> None:
    people = [f"{BAD_NAME} {place}" for place in range(18)]
    bad = photo_outcome(BAD_NAME, people=people, note=BAD_NAME)
    video = video_outcome(BAD_NAME, 0.9, 0.1)
    skipped = Outcome("other", "photos", "skipped", BAD_NAME)
    page = written(tmp_path, bad, video, skipped, title=BAD_NAME, queries=[BAD_NAME])
    assert not page.all("script")
    assert page.one("h1").text == BAD_NAME.replace("\udc80", "\\udc80")
    labels = " ".join(each.text for each in page.one("section", id="maps").all("text"))
    assert "<script>alert(" in labels
    assert json.loads((tmp_path / "report.json").read_text())["outcomes"][0]["name"] == BAD_NAME


def test_not_a_number_is_no_number(tmp_path: Path) -> None:
    page = written(
        tmp_path, Outcome("a", "photos", "done", metrics={"map": float("nan"), "eer": 0.1})
    )
    assert row_of(page, "summary", "a")["mAP"].text == "–"
    assert json.loads((tmp_path / "report.json").read_text())["outcomes"][0]["metrics"] == {
        "map": None, "eer": 0.1,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["photos", "video"])
def test_a_report_of_nothing_but_skipped_runs_says_why(tmp_path: Path, kind) -> None:
    page = written(tmp_path, Outcome("a", kind, "skipped", "no photos"))
    assert "skipped no photos" in page.one("main").text


def test_the_same_outcomes_make_the_same_page(tmp_path: Path) -> None:
    pages = [write_report(OUTCOMES[:1], tmp_path / n, photos=None, title="t") for n in "ab"]
    assert pages[0].read_bytes() == pages[1].read_bytes()


@pytest.mark.parametrize("package", ["jinja2", "matplotlib", "sklearn"])
def test_a_missing_package_is_told_with_its_extra(tmp_path, monkeypatch, package) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=r"sightings\[evaluate\]"):
        write_report(OUTCOMES, tmp_path, photos=None, title="t")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFailure, match="file cannot be made: File exists"):
        write_report(OUTCOMES[-1:], tmp_path / "file", photos=None, title="t")


def _body(page: Element, table: str) -> list[Element]:
    return page.one("table", id=f"table-{table}").one("tbody").all("tr")
