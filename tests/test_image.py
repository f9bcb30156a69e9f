"""The Dockerfile: what it is made of, whose rights it has, and that its commands work.

No image is built: that needs Docker. Its install commands are run here, on nothing but the files
that the builder would get.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from indexer.settings import load
from indexer.settings_api import ApiSettings
from indexer.weights import cache_dir

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = [
    (line.split(None, 1)[0], " ".join(line.split(None, 1)[1].split()))
    for line in re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE)
    .replace("\\\n", " ")
    .splitlines()
    if line.strip()
]
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def of(kind: str) -> list[str]:
    return [text for name, text in INSTRUCTIONS if name == kind]


def install() -> str:
    """Return the command that installs Sightings."""
    (found,) = (text for text in of("RUN") if ".[" in text)
    return found


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """What the builder copies into the image, and nothing else."""
    sent = {line.removeprefix("!") for line in IGNORED if line.startswith("!")}
    for text in of("COPY"):
        *sources, target = text.split()
        for source in sources:
            assert source in sent
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copyfile
            place = tmp_path / target / source if target.endswith("/") else tmp_path / target
            copy(ROOT / source, place)
    return tmp_path


def test_the_base_is_pinned() -> None:
    (base,) = of("FROM")
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", base)


def test_the_python_of_the_image_is_one_that_sightings_supports() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    least = re.fullmatch(r">=3\.(\d+)", project["requires-python"])
    found = re.match(r"python:3\.(\d+)", of("FROM")[0])
    assert least
    assert found
    assert int(found[1]) >= int(least[1])


def test_it_does_not_run_as_root() -> None:
    *_, user = of("USER")
    made = next(text for text in of("RUN") if "useradd" in text)
    assert re.search(rf"useradd --uid [1-9]\d+ .*\b{user}\b", made)
    kinds = [kind for kind, _ in INSTRUCTIONS]
    assert kinds.index("USER") < kinds.index("CMD")
    assert "RUN" not in kinds[kinds.index("USER") :]


def test_nothing_is_sent_to_the_builder_unless_it_is_named() -> None:
    assert "*" in IGNORED
    sent = {line.removeprefix("!") for line in IGNORED if line.startswith("!")}
    copied = {source for text in of("COPY") for source in text.split()[:-1]}
    assert sent == copied
    assert not {".env", "docker", "tests", "shared"} & sent


def test_places_of_the_image_are_settings_and_belong_to_its_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (text,) = of("ENV")
    environment = dict(pair.split("=", 1) for pair in text.split())
    settings = load(environment=environment)
    monkeypatch.setenv("SIGHTINGS_CACHE", environment["SIGHTINGS_CACHE"])
    (made,) = (text for text in of("RUN") if "install --directory" in text)
    for place in (
        cache_dir(),
        Path(settings.api.keys_file).parent,
        Path(settings.api.media_root),
    ):
        assert str(place) in made.split()


def test_it_listens_where_it_says() -> None:
    assert of("EXPOSE") == [str(ApiSettings().port)]
    assert json.loads(of("CMD")[0]) == ["sightings", "serve"]


def test_each_package_has_one_pin_for_a_python() -> None:
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()[1:]
    parts = [line.partition(";") for line in pins]
    pinned = [(pin.partition("==")[0], condition.strip()) for pin, _, condition in parts]
    assert len(set(pinned)) == len(pinned)
    always = {name for name, condition in pinned if not condition}
    assert not [name for name, condition in pinned if condition and name in always]


def test_extras_that_are_installed_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = re.search(r"\.\[([a-z,]+)\]", install())
    assert found
    extras = set(found[1].split(","))
    assert {"elasticsearch", "service"} <= extras <= project["optional-dependencies"].keys()
    assert "dev" not in extras


def test_the_cpu_build_of_torch_is_named_with_its_pinned_version(context: Path) -> None:
    (text,) = (text for text in of("RUN") if "TORCH_BUILD" in text)
    sed = re.search(r"sed -n '[^']+' constraints\.txt", text)
    assert sed
    done = subprocess.run(
        ["/bin/sh", "-c", sed[0]], cwd=context, capture_output=True, text=True, check=True
    )
    pinned = re.findall(
        r"^(torch|torchvision)==([\w.]+)",
        (ROOT / "constraints.txt").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert {line.split(";")[0].strip() for line in done.stdout.splitlines()} == {
        f"{name}=={version}+cpu" for name, version in pinned
    }


@pytest.mark.slow
def test_the_install_command_finds_all_packages_with_their_pins(context: Path) -> None:
    """Nearly everything is here already; nothing is changed."""
    command = install().replace("python", sys.executable, 1).replace("install", "install --dry-run")
    assert "--constraint constraints.txt" in command
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=context, capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (would,) = re.findall(r"^Would install (.*)$", done.stdout, re.MULTILINE)
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.partition(";")[0].strip().replace("==", "-") for line in pins}
    others = [each for each in would.split() if not re.fullmatch(r"sightings-[\d.]+", each)]
    assert set(others) <= pinned


@pytest.mark.slow
def test_what_is_installed_has_the_files_that_are_no_code(context: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", "out", "."],
        cwd=context, capture_output=True, check=True, timeout=300,
    )  # fmt: skip
    (wheel,) = (context / "out").glob("*.whl")
    packed = set(ZipFile(wheel).namelist())
    for package in ("api", "es_mappings", "indexer", "tasks"):
        files = (ROOT / package).rglob("*")
        wanted = {
            str(path.relative_to(ROOT))
            for path in files
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert wanted <= packed
    assert "es_mappings/kibana.ndjson" in packed
