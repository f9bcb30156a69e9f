"""`sightings evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.options import JsonOption, ModelOption, SetOption, assigned
from indexer.cli.output import note, say
from indexer.errors import UsageError
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.evaluation.evaluate import Request
    from indexer.evaluation.matrix import Matrix
    from indexer.evaluation.records import Outcome

WORK = Path("sightings-evaluation")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate")(evaluate_command)


def evaluate_command(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Photos in LFW's layout, NAME/PHOTO.jpg.")
    ],
    pairs: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Pairs of photos in LFW's format.", show_default=False),
    ] = None,
    model: ModelOption = None,
    features: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Vectors (.npz, .parquet) instead of a model.", show_default=False
        ),
    ] = None,
    matrix: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="A TOML file of runs; `studies`: the comparisons of five studies; `crops`: crops "
            "of faces, and the pairs that are missed; `keyframes`: settings of key frames.",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to write the report.", show_default=False),
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help=f"Where what is done is kept; by default beside the report, or {WORK}.",
            show_default=False,
        ),
    ] = None,
    attributes: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV", help="Attributes of people: results by group.", show_default=False
        ),
    ] = None,
    queries: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A person or a photo whose results the report shows, too (repeatable).",
            show_default=False,
        ),
    ] = None,
    models: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="What {models} in a matrix stands for.", show_default=False
        ),
    ] = None,
    elasticsearch: Annotated[
        str,
        typer.Option(metavar="URL", help="A cluster for runs with that store.", show_default=False),
    ] = "",
    video: Annotated[
        bool | None,
        typer.Option(
            "--video/--no-video",
            help="Whether to measure on rendered videos, too; by default a matrix says so. With "
            "--model there is no run of every frame, whose finds a run's are counted against.",
            show_default=False,
        ),
    ] = None,
    assignments: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how well people are told apart and found, on photos whose people are known."""
    from indexer.cli.evaluation_progress import EvaluationNotes
    from indexer.evaluation.evaluate import Request, evaluate

    if queries and report is None:
        raise UsageError("--queries chooses what a report shows: give --report DIR.")
    _check_report(report)
    chosen = _matrix(matrix, model, features, assignments, video=video)
    request = Request(
        photos=folder,
        work=work or (report.with_name(f"{report.name}-work") if report else WORK),
        pairs=pairs,
        attributes=attributes,
        models=models,
        elasticsearch=elasticsearch,
        flags=assigned(assignments),
    )
    outcomes = evaluate(chosen, request, EvaluationNotes(), stop_at_errors=matrix is None)
    _show(outcomes, chosen, request, report, queries or (), as_json=as_json)
    if not any(each.state == "done" for each in outcomes) or _count(outcomes, "failed"):
        raise typer.Exit(1)


def _check_report(report: Path | None) -> None:
    """Refuse what could not be written, before an hour's work is done for it."""
    if report is None:
        return
    from indexer.evaluation.report import require_packages

    require_packages()
    if report.exists() and not report.is_dir():
        raise UsageError(f"{report} is a file: --report takes a folder.")


def _matrix(
    file: str | None,
    model: str | None,
    features: Path | None,
    assignments: list[str] | None,
    *,
    video: bool | None,
) -> Matrix:
    """Return the runs that the options ask for: those of a matrix, or of one model."""
    from dataclasses import replace

    from indexer.evaluation.matrix import COMING_ALONG, Matrix, PhotoRun, VideoRun, read_matrix
    from indexer.evaluation.model_choice import FEATURES
    from indexer.evaluation.photo_runs import said
    from indexer.settings import load

    if sum(given is not None for given in (file, model, features)) > 1:
        raise UsageError("Give one of --model, --features and --matrix.")
    if file is not None:
        matrix = read_matrix(COMING_ALONG.get(file, Path(file)))
        kept = replace(matrix, video=()) if video is False else matrix
        if not kept.runs:
            raise UsageError(f"The matrix {file} has runs on videos alone: leave out --no-video.")
        if video and not matrix.video:
            raise UsageError(f"The matrix {file} has no runs on videos: leave out --video.")
        return kept
    spec = f"{FEATURES}{features}" if features else model or load(assigned(assignments)).model
    if not spec:
        raise UsageError(
            "Give --model MODEL, --features FILE or --matrix FILE; `sightings models` lists models."
        )
    if features and video:
        raise UsageError("Videos need a model: leave out --video, or give --model.")
    name = said(spec)
    on_video = (VideoRun(f"{name} on videos", spec),) if video else ()
    return Matrix(title=name, photos=(PhotoRun(name, spec),), video=on_video)


def _show(
    outcomes: Sequence[Outcome],
    matrix: Matrix,
    request: Request,
    report: Path | None,
    queries: Sequence[str],
    *,
    as_json: bool,
) -> None:
    """Print what came of the runs, and write the report."""
    from indexer.cli.evaluation_tables import show_outcomes

    page = None
    if report is not None:
        from indexer.evaluation.report import write_report

        page = write_report(
            outcomes, report, photos=request.photos, queries=queries, title=matrix.title
        )
    states = ("done", "skipped", "failed")
    if as_json:
        from indexer.cli.document import print_json
        from indexer.evaluation.report import document

        counts = {state: _count(outcomes, state) for state in states}
        print_json({**document(matrix.title, outcomes), **counts})
        return
    show_outcomes(outcomes)
    say(", ".join(f"{_count(outcomes, state)} {state}" for state in states) + ".")
    if page is not None:
        say(f"Report: {shown(page)}")
    note(
        f"{shown(request.work)} holds the vectors of all faces, which are biometric data; the next "
        "evaluation goes on from there. Delete it when it has served."
    )


def _count(outcomes: Sequence[Outcome], state: str) -> int:
    return sum(each.state == state for each in outcomes)
