"""Schemathesis makes requests of all kinds out of the description: none of them breaks the service.

Each answer has the status, content type and shape that the description says.
"""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from PIL import Image
from schemathesis import GenerationMode, checks

from api.app import create_app
from indexer import open_index
from indexer.settings import Settings
from indexer.settings_api import ApiSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

EXAMPLES = 5
ORDER = ("GET", "POST", "PATCH", "DELETE")
REACHED = (
    'method="GET",route="/api/v1/media/<media_id>/file"',
    'method="GET",route="/api/v1/media/<media_id>/frame"',
    'method="GET",route="/api/v1/faces/<face_id>/frame"',
    'method="GET",route="/api/v1/jobs/<job_id>/media"',
    'method="PATCH",route="/api/v1/faces/<face_id>"',
    'method="POST",route="/api/v1/jobs/<job_id>/cancel"',
    'method="DELETE",route="/api/v1/media/<media_id>"',
)
CHECKS = (
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
)


@pytest.fixture(scope="module")
def description(made_archive, tmp_path_factory, networks) -> Iterator[Any]:
    """The description of a service whose index is filled, and of which nothing is limited."""
    folder = tmp_path_factory.mktemp("fuzzed")
    location = folder / "faces.sightings"
    shutil.copy(made_archive.location, location)
    api = ApiSettings(
        keys_file=str(folder / "keys.json"),
        media_root=str(folder / "uploads"),
        roots=f"{folder},{made_archive.folder}",
        rate="1000000/second",
        search_rate="1000000/second",
    )
    app = create_app(
        Settings(index=str(location), api=api),
        lambda: open_index(location),
        send=lambda _: None,
        networks=networks,
    )
    yield schemathesis.openapi.from_wsgi("/api/docs/openapi.json", app)
    app.extensions["sightings"].close()


def test_no_request_breaks_the_service(description, made_archive) -> None:
    photo = made_archive.folder / "grace.png"
    queued = description.app.test_client().post(
        "/api/v1/media", data={"file": (io.BytesIO(shifted(photo)), "new.png")}
    )
    known = {
        "media_id": made_archive.media["both.mp4"].id,
        "face_id": made_archive.faces["both.mp4"].id,
        "job_id": queued.json["batch"],
        "person": "Grace",
    }
    operations = [found.ok() for found in description.get_all_operations()]
    assert len(operations) > 25
    # What changes the index comes last, deleting after all.
    operations.sort(key=lambda each: ORDER.index(each.method.upper()))
    told = [fuzz(operation, mode, known) for operation in operations for mode in GenerationMode]
    failures = [text for text in told if text]
    assert not failures, "\n\n".join(failures)
    answered = description.app.test_client().get("/metrics").text
    for route in REACHED:
        assert f'{route},status="20' in answered, f"no request got through to {route}"


def shifted(photo: Path) -> bytes:
    """Return another photo of the same person."""
    with Image.open(photo) as picture:
        stream = io.BytesIO()
        picture.rotate(1).save(stream, "PNG")
    return stream.getvalue()


def fuzz(operation: Any, mode: GenerationMode, known: dict[str, Any]) -> str:
    """Try an operation; return what went wrong, so that each route's failures are told."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)
        if with_what_there_is(case, known):
            case.call_and_validate(checks=CHECKS)

    try:
        each()
    except Unsatisfiable:  # an operation without parameters has no wrong ones
        return ""
    except Exception as error:
        return f"{operation.label}: {error}"
    return ""


def with_what_there_is(case: Any, known: dict[str, Any]) -> bool:
    """Put ids and names that exist into a request; whether it has any place for them."""
    changed = False
    for name, part in (("path_parameters", case.path_parameters), ("body", case.body)):
        if isinstance(part, dict) and (real := set(part) & set(known)):
            setattr(case, name, {**part, **{each: known[each] for each in real}})
            changed = True
    return changed
