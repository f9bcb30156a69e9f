"""Exit codes, and error messages that say what happened, where, and what to do."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from indexer import errors
from indexer.cli import exit_code
from indexer.errors import SightingsError
from tests.cli.running import sightings

if TYPE_CHECKING:
    from tests.cli.conftest import Library

PHOTO = Path(__file__)
CARD = '{"input_size": 112, "alignment": "arcface", "dimensions": 128, "licence": "none"}'
CODES = {
    errors.UsageError: 2,
    errors.MediaError: 2,
    errors.EnvironmentFailure: 3,
    errors.MissingExtra: 3,
    errors.WeightsUnavailable: 3,
    errors.OutOfReach: 3,
    errors.IndexFailure: 3,
    errors.IndexLocked: 3,
    errors.IndexBlocked: 3,
    errors.StorageFull: 3,
    errors.PurgeUnfinished: 3,
    errors.BrokerFailure: 3,
    errors.ClaimLost: 3,
    errors.Interrupted: 2,
    errors.ModelMismatch: 3,
    errors.NoFace: 1,
    errors.NotFound: 1,
}


@pytest.mark.parametrize(("kind", "code"), CODES.items(), ids=str)
def test_each_kind_of_error_has_its_exit_code(kind: type[SightingsError], code: int) -> None:
    error = kind("a", "b") if kind is errors.MissingExtra else kind("a")
    assert exit_code(error) == code


def test_no_kind_of_error_is_forgotten() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type)}
    assert kinds - {SightingsError} == set(CODES)


@pytest.mark.parametrize("command", ["stats", "media list", "people list", "search --person Anna"])
@pytest.mark.usefixtures("library")
def test_what_succeeds_ends_with_0(command: str) -> None:
    run = sightings(*command.split())
    assert (run.code, run.err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search", "--person", "Nobody"], "No face is named 'Nobody'; `sightings people list`"),
        (["search", "--stored-face", "abc"], "No face 'abc' in the index; `sightings faces MEDIA`"),
        (["media", "show", "abc"], "No media 'abc' in the index; `sightings media list` shows"),
        (["faces", "abc"], "No media 'abc' in the index; `sightings media list` shows them."),
    ],
    ids=str,
)
@pytest.mark.usefixtures("library")
def test_what_is_not_there_ends_with_1(arguments: list[str], message: str) -> None:
    run = sightings(*arguments)
    assert (run.code, run.out) == (1, "")
    assert run.err.startswith(f"sightings: {message}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["quatsch"], "No such command 'quatsch'"),
        (["search", "--quatsch"], "No such option"),
        (["index"], "Missing argument 'PATH'"),
        (["people", "name", "Anna"], "Missing argument 'FACE'"),
        (["search"], "Give either photos (or a video), or --stored-face, or --person."),
        (["search", "a.jpg", "--person", "A"], "Give either photos (or a video), or"),
        (["search", "no.jpg"], "no.jpg cannot be read: No such file or directory."),
        (["search", "a.jpg", "--face", "left"], "--face takes largest, all or a number, not 'l"),
        (["search", "--person", "Anna", "--top", "0"], "Invalid value for '--top'"),
        (["search", "--person", "Anna", "--top", "many"], "Invalid value for '--top'"),
        (["search", "--person", "Anna", "--kind", "song"], "Invalid value for '--kind'"),
        (["search", "--person", "Anna", "--min-score", "2"], "Invalid value for '--min-score'"),
        (["search", "--person", "A", "--min-score", "nan"], "Invalid value for '--min-score'"),
        (["search", "--person", "A", "--from-s", "nan"], "Invalid value for '--from-s'"),
        (["search", "--person", "A", "--to-s", "nan"], "Invalid value for '--to-s'"),
        (["search", "--person", "A", "--to-s", "-inf"], "Invalid value for '--to-s'"),
        (["search", "--person", "A", "--min-face", "nan"], "Invalid value for '--min-face'"),
        (
            ["search", "--person", "A", "--min-probability", "nan"],
            "Invalid value for '--min-probability': nan is not a finite number.",
        ),
        (["index", "a.jpg", "--min-probability", "nan"], "The setting faces.min_probability is"),
        (
            ["search", "--person", "Anna", "--recorded-to", "yesterday"],
            "--recorded-to takes a date or a time, 2024-05-31 or 2024-05-31T18:00:00, not 'yest",
        ),
        (["index", "a.jpg", "--set", "faces.size=3"], "Unknown setting 'faces.size' in an option."),
        (["index", "a.jpg", "--set", "faces"], "--set takes NAME=VALUE, not 'faces'."),
        (["index", "a.jpg", "--min-face", "huge"], "Invalid value for '--min-face'"),
        (["index", "a.jpg", "--min-face", "1"], "The setting faces.min_face_px is 1."),
        (["index", "a.jpg", "--model", "quatsch"], "There is no model 'quatsch': give one of"),
        (["index", "a.jpg", "--names", "no.csv"], "The names file no.csv cannot be read"),
        (["reindex"], "Missing option '--model'"),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.usefixtures("library")
def test_wrong_usage_ends_with_2(arguments: list[str], message: str) -> None:
    run = sightings(*arguments)
    assert (run.code, run.out) == (2, "")
    assert message in " ".join(run.err.split())


def test_a_new_index_wants_a_model_and_says_where_they_are_listed(tmp_path: Path) -> None:
    run = sightings("index", PHOTO, "--index", tmp_path / "new.sightings")
    assert run.code == 2
    assert "no model is chosen silently. `sightings models` lists them" in run.err
    assert list(tmp_path.glob("*.sightings*")) == []


def test_a_wrong_variable_is_named(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTINGS_FACES_MIN_FACE", "40")
    run = sightings("stats", "--index", library.index)
    assert run.code == 2
    assert "Did you mean SIGHTINGS_FACES_MIN_FACE_PX?" in run.err


def test_a_missing_index_ends_with_3_and_says_where_it_was_looked_for(home: Path) -> None:
    run = sightings("stats")
    place = home / "data" / "sightings" / "faces.sightings"
    assert (run.code, run.out) == (3, "")
    assert run.err == f"sightings: There is no index at {place}. Run `sightings index` first.\n"


def test_the_index_may_come_from_an_option_or_a_variable(
    library: Library, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sightings("stats", "--json").document["location"] == str(library.index)
    monkeypatch.setenv("SIGHTINGS_INDEX", str(home / "elsewhere"))
    assert sightings("stats").code == 3
    given = sightings("stats", "--json", "--index", library.index)
    assert given.document["location"] == str(library.index)


@pytest.mark.parametrize("content", [b"", b"just a text", b"SQLite format 3\0" + bytes(200)])
def test_a_file_that_is_no_index_ends_with_3(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    run = sightings("stats", "--index", file)
    assert run.code == 3
    assert str(file) in run.err
    assert file.read_bytes() == content


def test_a_folder_is_no_index(tmp_path: Path) -> None:
    run = sightings("stats", "--index", tmp_path)
    assert run.code == 3
    assert f"{tmp_path} is a folder; an index is a file." in run.err


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE diary (day TEXT)")
    connection.close()
    before = file.read_bytes()
    run = sightings("index", PHOTO, "--index", file, "--model", "dlib")
    assert run.code == 3
    assert f"{file} is not an index of Sightings" in run.err
    assert file.read_bytes() == before


def test_an_index_in_a_folder_that_is_missing_is_not_made(tmp_path: Path) -> None:
    run = sightings("index", PHOTO, "--index", tmp_path / "no" / "a.sightings", "--model", "dlib")
    assert run.code == 3
    assert f"The folder {tmp_path / 'no'} does not exist. Create it first." in run.err


def test_another_model_than_the_indexs_ends_with_3(library: Library) -> None:
    run = sightings("index", library.folder, "--model", "dlib")
    assert run.code == 3
    assert "The index was made with tiny-" in run.err
    assert "sightings reindex --model dlib" in run.err


def test_weights_that_are_no_longer_there_end_with_3_and_are_named(tmp_path: Path) -> None:
    run = sightings("index", PHOTO, "--index", tmp_path / "a", "--model", "facenet:gone.pt")
    assert run.code == 3
    assert "there is no file gone.pt" in run.err


@pytest.mark.parametrize("spec", ["facenet:{file}", "onnx:{file}?card={card}"])
@pytest.mark.parametrize(
    "content", [b"root:x:0:0:root:/root:/bin/bash\n" * 20, bytes(range(256))], ids=["text", "bytes"]
)
def test_a_file_that_holds_no_weights_ends_with_3_and_makes_no_index(
    tmp_path: Path, spec: str, content: bytes
) -> None:
    file, card, place = tmp_path / "weights", tmp_path / "card.json", tmp_path / "new.sightings"
    file.write_bytes(content)
    card.write_text(CARD)
    model = spec.format(file=file, card=card)
    run = sightings("index", PHOTO, "--index", place, "--model", model)
    assert (run.code, run.out) == (3, "")
    assert run.err.startswith(f"sightings: {file} ")
    assert run.err.count("\n") == 1
    assert not place.exists()


def test_an_index_whose_weights_are_gone_says_which_they_were(library: Library) -> None:
    run = sightings("index", library.folder)
    assert run.code == 3
    assert f"weights at /models/tiny.onnx (SHA-256 {'1' * 64}), which are not there" in run.err
    assert "Say where they are: --model 'onnx:PATH" in run.err


def test_weights_that_cannot_be_fetched_end_with_3_and_every_way_out(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # the discard port: nobody answers
    run = sightings("index", PHOTO, "--index", tmp_path / "a", "--model", "facenet")
    assert run.code == 3
    assert "20180402-114759-vggface2.pt" in run.err
    assert "281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b" in run.err
    assert f"put it into {home / 'cache' / 'sightings'}" in run.err
    for other in ("--model facenet:PATH", "--model dlib", "--model onnx:PATH"):
        assert other in run.err


def test_the_default_index_is_made_for_the_user_alone(home: Path, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    run = sightings("index", tmp_path / "text.jpg", "--model", "dlib")
    assert run.code == 1
    folder = home / "data" / "sightings"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "faces.sightings").stat().st_mode) == 0o600


@pytest.mark.slow
def test_a_locked_index_ends_with_3_once_it_was_waited_for(library: Library) -> None:
    other = sqlite3.connect(library.index, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    run = sightings("people", "rename", "Anna", "Else")
    other.close()
    assert run.code == 3
    assert "is being written by another process that keeps it locked. Try again when" in run.err
