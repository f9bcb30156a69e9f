"""Puts tables, plots and pictures into the page's template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from indexer.evaluation.report import maps, plots, tables
from indexer.evaluation.report.drawing import dash_array, drawn_in_our_form
from indexer.evaluation.report.measures import (
    ACCURACY,
    RETRIEVAL,
    STORES,
    SUMMARY,
    TAR_ALL,
    TIME,
    TOP20,
    VERIFICATION,
    VIDEO,
)
from indexer.evaluation.report.origin import origin
from indexer.evaluation.report.plots_video import found_for_detections
from indexer.evaluation.report.runs import best_at, curves
from indexer.evaluation.report.sheets import Sheets, make_sheets, picture_reader
from indexer.evaluation.report.wrong import wrong_pairs
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from indexer.evaluation.records import Outcome
    from indexer.evaluation.report.runs import Curve

MAPS = 6
"""Maps of embeddings are drawn for so many configurations, the best first."""
HIGHLIGHTS = (ACCURACY, TAR_ALL[0], TOP20, TIME)


def render(
    outcomes: Sequence[Outcome],
    *,
    photos: Path | None,
    queries: Sequence[str],
    title: str,
    pause: Callable[[], None],
) -> str:
    """Return the page as HTML; see `write_report`. pause: called between drawings."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("indexer.evaluation.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Names and paths may hold what no text should: control characters, halves of characters.
        finalize=lambda said: said if isinstance(said, Markup) else shown(said),
    )
    style = environment.loader.get_source(environment, "report.css")[0]  # type: ignore[union-attr]
    distinct = curves(outcomes)
    sheets: list[Sheets] = []
    left_out: list[str] = []
    if photos is not None:
        sheets, left_out = make_sheets(distinct, photos, queries)
        pause()
    best = best_at(outcomes)
    highlights = {measure.title for measure in HIGHLIGHTS}
    return environment.get_template("report.html").render(
        title=title,
        style=Markup(style),
        outcomes=outcomes,
        states={s: sum(o.state == s for o in outcomes) for s in ("done", "skipped", "failed")},
        highlights=[each for each in best if each.title in highlights],
        best=best,
        tables=_tables(outcomes, distinct),
        wrong=wrong_pairs(
            outcomes, distinct, picture_reader(photos) if photos is not None else None
        ),
        groups=tables.by_group(distinct),
        reduced=any(curve.outcome.configuration.get("pca") for curve in distinct),
        plots=_plots(outcomes, distinct, pause),
        curves=distinct,
        palette=[c for c in distinct if c.place is not None],
        greys=[c for c in distinct if c.place is None and c.outcome.arrays],
        dash_array=dash_array,
        sheets=sheets,
        sheets_left_out=left_out,
        photos_given=photos is not None,
        origin=origin(outcomes),
    )


def _tables(outcomes: Sequence[Outcome], distinct: Sequence[Curve]) -> dict[str, Any]:
    photos = [each for each in outcomes if each.kind == "photos"]
    video = [each for each in outcomes if each.kind == "video"]
    firsts = [curve.outcome for curve in distinct]
    stored = [each for each in photos if each.state == "done" and each.metrics.get("store")]
    return {
        "summary": tables.measured("summary", "All runs on photos", photos, SUMMARY, keep_all=True),
        "verification": tables.measured("verification", "Verification", firsts, VERIFICATION),
        "retrieval": tables.measured("retrieval", "Retrieval", firsts, RETRIEVAL),
        "thresholds": tables.thresholds(distinct),
        "galleries": tables.galleries(),
        "by_photos": tables.people_by_photos(distinct),
        "stores": tables.measured("stores", "Stores", stored, STORES, bars=True),
        "video": tables.videos(video, VIDEO),
        "stages": tables.stages(outcomes),
    }


def _plots(
    outcomes: Sequence[Outcome], distinct: Sequence[Curve], pause: Callable[[], None]
) -> dict[str, Any]:
    """Return drawings by name, those of single configurations as pairs with the curve."""
    from markupsafe import Markup

    def marked_up(svg: str | None) -> Markup | None:
        """Return what Matplotlib has drawn, whose texts are escaped."""
        pause()
        return Markup(svg) if svg else None

    video = [each for each in outcomes if each.kind == "video" and each.state == "done"]
    with drawn_in_our_form():
        single: dict[str, Callable[[], str | None]] = {
            "roc": lambda: plots.roc(distinct, "roc", lowest_tar=0.0),
            "roc_top": lambda: plots.roc(distinct, "roc-top", lowest_tar=0.8),
            "roc_euclidean": lambda: plots.roc(
                distinct, "roc-euclidean", lowest_tar=0.0, measure="roc_euclidean"
            ),
            "folds": lambda: plots.folds(distinct, "folds"),
            "map_by_photos": lambda: plots.by_photos(distinct, "map-by-photos", "map", "mAP"),
            "top_by_photos": lambda: plots.by_photos(
                distinct, "top-by-photos", "top20_of_existing", "found in the top 20"
            ),
            "video": lambda: found_for_detections(video, "video-plot"),
            "video_top": lambda: found_for_detections(video, "video-top", above=0.95),
        }
        scores = ((c, plots.scores(c, f"scores-{n}")) for n, c in enumerate(distinct))
        drawn_maps = ((c, maps.embedding_map(c, f"map-{n}")) for n, c in _mapped(distinct))
        return {
            **{name: marked_up(draw()) for name, draw in single.items()},
            "scores": [(c, drawn) for c, svg in scores if (drawn := marked_up(svg))],
            "maps": [(c, drawn) for c, svg in drawn_maps if (drawn := marked_up(svg))],
        }


def _mapped(distinct: Sequence[Curve]) -> Iterable[tuple[int, Curve]]:
    """Return the configurations to draw maps of, with a number each: the best, and the last.

    The last one is there to compare with: how a map looks where a model knows faces badly.
    """
    able = [c for c in distinct if "map_vectors" in c.outcome.arrays]
    chosen = able if len(able) <= MAPS else [*able[: MAPS - 1], able[-1]]
    return enumerate(chosen)
