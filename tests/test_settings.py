"""Settings come from a flag, then the environment, then the file, then the default."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest

from indexer.errors import UsageError
from indexer.settings import ElasticsearchSettings, Settings, describe, load

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
        ("faces.min_probability", "nan"),
        ("faces.min_sharpness", "nan"),
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


# Secrets, and what belongs together

SECRET = "hunter2"


def test_a_secret_is_only_said_to_be_set() -> None:
    unset = {entry.name: entry.default for entry in describe(Settings())}
    assert unset["elasticsearch.api_key"] == unset["elasticsearch.password"] == ""
    environment = {
        "SIGHTINGS_ELASTICSEARCH_USERNAME": "ann",
        "SIGHTINGS_ELASTICSEARCH_PASSWORD": SECRET,
    }
    settings = load(environment=environment)
    assert settings.elasticsearch.password == SECRET
    described = {entry.name: entry.default for entry in describe(settings)}
    assert described["elasticsearch.password"] == "(set)"
    assert described["elasticsearch.username"] == "ann"
    assert SECRET not in repr(settings)
    assert "ann" in repr(settings)


@pytest.mark.parametrize("name", ["api_key", "password"])
def test_a_secret_of_the_wrong_kind_is_refused_unseen(name: str, tmp_path: Path) -> None:
    file = tmp_path / "sightings.toml"
    file.write_text(f'[elasticsearch]\nusername = "ann"\n{name} = 736455\n')
    with pytest.raises(UsageError, match=f"elasticsearch.{name} is not right") as caught:
        load(environment={}, file=file)
    assert "736455" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"api_key": SECRET, "username": "ann", "password": SECRET}, "Set one or the other"),
        ({"api_key": SECRET, "password": SECRET}, "Set one or the other"),
        ({"username": "ann"}, "elasticsearch.password is not set"),
        ({"password": SECRET}, "elasticsearch.username is not set"),
        ({"ca_certs": "ca.pem", "fingerprint": "ab" * 32}, "both set"),
        ({"fingerprint": "ab" * 20}, "64 hexadecimal digits"),
        ({"fingerprint": "sha256 Fingerprint=AB"}, "64 hexadecimal digits"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(given: dict[str, str], told: str) -> None:
    flags = {f"elasticsearch.{name}": value for name, value in given.items()}
    with pytest.raises(UsageError, match=told) as loaded:
        load(flags, environment={})
    with pytest.raises(UsageError, match=told):
        ElasticsearchSettings(**given)  # type: ignore[arg-type]
    assert SECRET not in "".join(traceback.format_exception(loaded.value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timeout_s", "0"),
        ("retry_s", "-1"),
        ("vector_type", "bbq_disk"),
        ("num_candidates", "10001"),
        ("oversample", "0.5"),
        ("shards", "0"),
        ("replicas", "-1"),
    ],
)
def test_a_value_of_a_cluster_out_of_range_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"elasticsearch.{name}"):
        load({f"elasticsearch.{name}": value}, environment={})


def test_a_password_in_the_location_is_refused_before_anything_shows_it() -> None:
    environment = {"SIGHTINGS_INDEX": f"elasticsearch://ann:{SECRET}@localhost/ours"}
    with pytest.raises(UsageError, match="SIGHTINGS_ELASTICSEARCH_PASSWORD") as caught:
        load(environment=environment)
    assert SECRET not in str(caught.value)


def test_how_a_cluster_is_reached_changes_no_faces() -> None:
    elsewhere = load({"elasticsearch.shards": 3, "index": "elasticsearch://es/x"}, environment={})
    assert elsewhere.options_for("video") == Settings().options_for("video")


RATES = ("3000/minute", "1/second", "10 per 2 hours", "5/second; 100/minute,1000 per day", "7/Days")


@pytest.mark.parametrize("name", ["api.rate", "api.search_rate"])
def test_a_rate_is_looked_at_when_settings_are_read(name: str) -> None:
    for rate in RATES:
        load({name: rate}, environment={})
    for rate in ("abc", "", "10", "ten/minute", "0/minute", "5/fortnight", "5/minute,", "5/-1day"):
        with pytest.raises(UsageError, match=rf"{name} .* is no rate, such as 600/minute"):
            load({name: rate}, environment={})


@pytest.mark.parametrize("rate", RATES)
def test_every_rate_that_is_taken_is_one_to_the_service(rate: str) -> None:
    from limits import parse_many

    assert parse_many(rate)
