"""`sightings calibrate`: thresholds of verdicts from the user's own named faces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from indexer.cli.options import IndexOption, JsonOption, SetOption, load_settings, open_existing
from indexer.cli.output import note, say, table
from indexer.text import shown

if TYPE_CHECKING:
    from indexer.engines.base import Index
    from indexer.evaluation.calibration import Calibration
    from indexer.records import ModelIdentity, Thresholds

PER_PERSON = 10
"""Thresholds that come with models were measured with as many."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("calibrate")(calibrate_command)


def calibrate_command(
    index: IndexOption = None,
    per_person: Annotated[
        int,
        typer.Option(
            min=1, metavar="N", help="Most faces of a person that count, one of each appearance."
        ),
    ] = PER_PERSON,
    apply: Annotated[
        bool, typer.Option("--apply", help="Let the index's verdicts hold from these on.")
    ] = False,
    reset: Annotated[
        bool,
        typer.Option("--reset", help="Measure nothing: go back to the model's own thresholds."),
    ] = False,
    card: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write them into the card of the ONNX model."),
    ] = None,
    assignments: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure from which scores verdicts hold among your own named faces.

    Every face is compared with every other: `possible` is the score that 1 in 1,000 pairs of
    different people reach, `same person` that of 1 in 100,000. Wrong names, and one person under
    two names, spoil that: look through `sightings people list` before.
    """
    from indexer.errors import UsageError

    if reset and (apply or card or as_json):
        raise UsageError("--reset measures nothing: leave out --apply, --card and --json.")
    with open_existing(load_settings(assignments, index=index)) as opened:
        model = _model(opened)
        if reset:
            opened.set_thresholds(model.key, None)
            own = _in_words(model.thresholds) if model.thresholds else "It has none: no verdicts."
            say(f"The index is back to the thresholds of {model.name}. {own}")
            return
        measured = _measured(opened, per_person)
        if card:
            from indexer.embeddings.card import write_thresholds

            write_thresholds(card, model, measured.thresholds)
        if apply:
            opened.set_thresholds(model.key, measured.thresholds)
    _tell(measured, model, as_json=as_json)
    if card:
        note(f"Written into {shown(card)}; `sightings index --model` takes them into an index.")
    if apply:
        note("The index's verdicts hold from these thresholds on; `--reset` takes that back.")
    elif not card:
        note("Nothing was changed; `--apply` lets the index's verdicts hold from these on.")


def _model(index: Index) -> ModelIdentity:
    from indexer.errors import NotFound

    if index.model is None:
        raise NotFound("The index has no model and no faces yet: sightings index PATH...")
    return index.model


def _measured(index: Index, per_person: int) -> Calibration:
    import numpy as np

    from indexer.errors import NotFound
    from indexer.evaluation.calibration import calibrate
    from indexer.evaluation.named_faces import named_faces

    faces = named_faces(index, per_person=per_person)
    if len(faces) < 2:
        raise NotFound(
            "Verdicts are measured on named faces, and the index has hardly any: name people with "
            "sightings people name NAME FACE..."
        )
    return calibrate(
        np.array([face.vector for face in faces]),
        [face.person or "" for face in faces],
        per_person=per_person,
        source="named faces of this index",
    )


def _tell(measured: Calibration, model: ModelIdentity, *, as_json: bool) -> None:
    if as_json:
        from indexer.cli.document import print_json

        print_json(_document(measured, model))
        return
    found, in_force = measured.thresholds, model.verdict_thresholds
    say(f"Measured: {_in_words(found)}")
    if in_force:
        kind = "set for this index" if model.calibrated else f"of {model.name}"
        say(f"In force until now, {kind}: {_in_words(in_force)}")
    else:
        say(f"Until now there were no verdicts: {model.name} has no thresholds.")
    say("Faces of other people that a search meets on average, by the faces in the index:")
    possible, same_person = measured.expected_false_hits.values()
    rows = [(f"{int(n):,}", f"{possible[n]:,g}", f"{same_person[n]:,g}") for n in possible]
    table(("faces", "possible", "same person"), rows)


def _in_words(thresholds: Thresholds) -> str:
    return (
        f"`possible` from a score of {thresholds.possible:g}, `same person` from "
        f"{thresholds.same_person:g} ({thresholds.basis})."
    )


def _document(measured: Calibration, model: ModelIdentity) -> dict[str, Any]:
    in_force = model.verdict_thresholds
    return {
        "model": model.key,
        **measured.metrics()["calibration"],
        "in_force_until_now": vars(in_force) if in_force else None,
    }
