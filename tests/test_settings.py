"""Settings come from a flag, then the environment, then the file, then the default."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from indexer.errors import UsageError
from indexer.settings import Settings, describe, load

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sightings.toml"
    path.write_text('model = "dlib"\n[keyframes]\nmin_delta_e = 3\nmax_gap_s = 4\n')
    return path


def test_without_any_source_the_defaults_hold() -> None:
    assert load(environment={}) == Settings()


def test_a_flag_beats_the_environment_that_beats_the_file(file: Path) -> None:
    environment = {"SIGHTINGS_KEYFRAMES_MIN_DELTA_E": "5", "SIGHTINGS_MODEL": "facenet"}
    settings = load({"model": "onnx:x"}, environment=environment, file=file)
    assert settings.model == "onnx:x"
    assert settings.keyframes.min_delta_e == 5.0
    assert settings.keyframes.max_gap_s == 4.0
    assert settings.keyframes.segment_s == Settings().keyframes.segment_s


def test_the_environment_can_name_the_file(file: Path) -> None:
    assert load(environment={"SIGHTINGS_CONFIG": str(file)}).model == "dlib"


def test_an_option_that_was_not_given_does_not_count() -> None:
    assert load({"model": None}, environment={"SIGHTINGS_MODEL": "dlib"}).model == "dlib"


def test_an_unknown_variable_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="Did you mean SIGHTINGS_KEYFRAMES_MAX_GAP_S"):
        load(environment={"SIGHTINGS_KEYFRAMES_MAXGAP_S": "3"})


def test_variables_of_other_programs_and_of_the_tests_are_none_of_ours() -> None:
    load(environment={"PATH": "/bin", "SIGHTINGS_TEST_DATA": "x", "SIGHTINGS_CACHE": "x"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("keyframes.max_gap_s", "-1"),
        ("keyframes.segment_s", "0"),
        ("faces.min_face_px", "eleven"),
        ("faces.min_probability", "1.5"),
        ("faces.device", "tpu"),
        ("appearances.max_faces", "0"),
        ("keyframes.max_gap_s", "nan"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name):
        load({name: value}, environment={})


def test_an_unknown_key_frame_strategy_is_refused_before_anything_loads() -> None:
    with pytest.raises(UsageError, match="Use delta-e, fps=R"):
        load({"keyframes.strategy": "fsp=2"}, environment={})


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("model = ")
    with pytest.raises(UsageError, match=r"broken\.toml"):
        load(environment={}, file=broken)


def test_a_named_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml"):
        load(environment={}, file=tmp_path / "none.toml")


def test_every_setting_says_what_it_means() -> None:
    listed = list(describe())
    assert len(listed) > 15
    assert all(entry.help for entry in listed)


def test_options_that_change_faces_change_the_fingerprint_and_speed_options_do_not() -> None:
    default = Settings().options_for("video")
    faster = load({"faces.batch_size": 2, "faces.device": "cpu"}, environment={})
    other = load({"keyframes.min_delta_e": 3}, environment={})
    assert faster.options_for("video") == default
    assert other.options_for("video") != default
    assert other.options_for("photo") == Settings().options_for("photo")
