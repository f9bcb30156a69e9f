"""Imports go one way, and heavy packages load only when they are used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import indexer

ROOT = Path(__file__).resolve().parents[1]
ORDER = ["es_mappings", "indexer", "tasks", "api"]
HEAVY = {
    "PIL", "api", "av", "celery", "cv2", "dlib", "elastic_transport", "elasticsearch",
    "facenet_pytorch", "flask", "jinja2", "kombu", "matplotlib", "milvus_lite", "nncf",
    "numkong", "numpy", "onnxruntime", "openvino", "orjson", "pandas", "pyarrow", "pymilvus",
    "redis", "scipy", "skimage", "sklearn", "tasks", "tenacity", "torch", "torchvision",
}  # fmt: skip
MODULES = sorted(
    path
    for package in ORDER
    if (ROOT / package).is_dir()
    for path in (ROOT / package).rglob("*.py")
)


def imported(path: Path, *, at_the_top: bool = False) -> set[str]:
    """Return the names of all modules that a file imports: wherever in it, or when it loads."""
    tree = ast.parse(path.read_text())
    names = set()
    for node in tree.body if at_the_top else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import"
            names.add(node.module or "")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_package_imports_only_those_below_it(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    above = set(ORDER[ORDER.index(package) + 1 :])
    # The command line may start what lies above, inside the commands that do.
    names = imported(path, at_the_top=path.is_relative_to(ROOT / "indexer" / "cli"))
    assert not above & {name.split(".")[0] for name in names}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_command_line_imports_the_command_line(path: Path) -> None:
    entry = ROOT / "indexer" / "__main__.py"
    if path != entry and not path.is_relative_to(ROOT / "indexer" / "cli"):
        assert not {name for name in imported(path) if name.startswith("indexer.cli")}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_stage_of_the_pipeline_knows_the_next(path: Path) -> None:
    stages = ["photos", "video", "media", "keyframes", "faces", "embeddings", "tracks", "pipeline"]
    name = path.stem
    if path.parent != ROOT / "indexer" or name not in stages:
        return
    later = {f"indexer.{stage}" for stage in stages[stages.index(name) + 1 :]}
    assert not later & imported(path)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_are_small(path: Path) -> None:
    tree = ast.parse(path.read_text())
    functions = [
        n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    too_long = [
        f.name
        for f in functions
        if f.end_lineno - f.body[0].lineno >= 60  # type: ignore[operator]
    ]
    assert len(path.read_text().splitlines()) <= 300
    assert not too_long


@pytest.mark.parametrize(
    "command",
    [
        ["-c", "import indexer"],
        ["-c", "import indexer.cli"],
        ["-m", "indexer", "--help"],
        ["-m", "indexer", "search", "--help"],
    ],
    ids=" ".join,
)
def test_heavy_packages_load_only_when_used(command: list[str]) -> None:
    run = subprocess.run(
        [sys.executable, "-X", "importtime", *command], capture_output=True, text=True, check=True
    )
    loaded = {line.rsplit("|")[-1].strip() for line in run.stderr.splitlines() if "|" in line}
    assert not loaded & HEAVY


@pytest.mark.parametrize("name", indexer.__all__)
def test_no_module_takes_the_place_of_what_the_package_offers(name: str) -> None:
    """Importing a submodule sets it on its package, over a function of that name."""
    assert not (ROOT / "indexer" / f"{name}.py").exists()
