"""A JDK that is new enough is found, and what is missing is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.elasticsearch.java import Unavailable, find_jdk

if TYPE_CHECKING:
    from pathlib import Path


def java_that_says(home: Path, version: str, *, compiler: bool = True) -> Path:
    (home / "bin").mkdir(parents=True)
    java = home / "bin" / "java"
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")
    java.chmod(0o755)
    if compiler:
        (home / "bin" / "javac").touch()
    return home


def test_the_first_that_is_new_enough_is_taken(tmp_path: Path) -> None:
    usual = java_that_says(tmp_path / "usual", "1.8.0_412")
    java_that_says(tmp_path / "jvm" / "jdk-17", "17.0.15")
    newest = java_that_says(tmp_path / "jvm" / "jdk-25", "25.0.3")
    jdk = find_jdk({"JAVA_HOME": str(usual), "PATH": ""}, [tmp_path / "jvm"])
    assert (jdk.home, jdk.version) == (newest, 25)


def test_java_home_goes_before_others(tmp_path: Path) -> None:
    usual = java_that_says(tmp_path / "usual", "21")
    java_that_says(tmp_path / "jvm" / "jdk-25", "25.0.3")
    assert find_jdk({"JAVA_HOME": str(usual)}, [tmp_path / "jvm"]).home == usual


def test_java_on_the_path_is_found_behind_its_link(tmp_path: Path) -> None:
    home = java_that_says(tmp_path / "somewhere", "24-ea")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").symlink_to(home / "bin" / "java")
    assert find_jdk({"PATH": str(tmp_path / "bin")}, []).home == home


def test_an_installation_of_macos_is_found(tmp_path: Path) -> None:
    home = java_that_says(tmp_path / "temurin-21.jdk" / "Contents" / "Home", "21.0.7")
    assert find_jdk({"PATH": ""}, [tmp_path]).home == home


def test_the_one_chosen_for_the_tests_is_the_only_one(tmp_path: Path) -> None:
    chosen = java_that_says(tmp_path / "chosen", "17.0.15")
    java_that_says(tmp_path / "jvm" / "jdk-25", "25.0.3")
    with pytest.raises(Unavailable, match=r"found Java 17 in \S*chosen$"):
        find_jdk({"SIGHTINGS_TEST_JAVA_HOME": str(chosen)}, [tmp_path / "jvm"])


def test_everything_that_does_not_do_is_told(tmp_path: Path) -> None:
    java_that_says(tmp_path / "jvm" / "old", "17.0.15")
    java_that_says(tmp_path / "jvm" / "runtime", "25.0.3", compiler=False)
    gone = tmp_path / "gone"
    with pytest.raises(Unavailable) as told:
        find_jdk({"JAVA_HOME": str(gone), "PATH": ""}, [tmp_path / "jvm"])
    for part in [
        "version 21 or newer",
        f"no working Java in {gone}",
        f"Java 17 in {tmp_path}/jvm/old",
        f"Java 25 without javac in {tmp_path}/jvm/runtime",
    ]:
        assert part in str(told.value)


def test_a_machine_without_java_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="found no Java at all"):
        find_jdk({"PATH": str(tmp_path)}, [tmp_path])
