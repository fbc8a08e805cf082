"""The operator's image: the same source gives the same bytes, and what is in it runs the operator."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import nodes
from tests.support.image import Image, can_build, in_root
from tests.support.operator_image import FOLDER, LOCKS, Workshop
from tests.support.site import site
from tests.support.tenant import Tenant

ROOT = Path(__file__).parents[2]
LARGEST_MEGABYTES = 20.0
"""Compressed, above the base."""


@pytest.fixture(scope="module")
def _user_namespaces() -> None:
    if not can_build():
        pytest.skip("this machine gives users no namespaces of their own, in which images are built here")


@pytest.fixture(scope="module")
def images(_user_namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Image, Image]:
    """Built twice."""
    workshop = Workshop(tmp_path_factory.mktemp("workshop"))
    return workshop.build(1), workshop.build(2)


@pytest.fixture(scope="module")
def root(images: tuple[Image, Image], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root file system that the layers make."""
    return images[0].unpack(tmp_path_factory.mktemp("unpacked") / "root")


def test_two_builds_give_the_same_layers(images: tuple[Image, Image]) -> None:
    first, second = images
    assert first.layers() == second.layers()


def test_the_image_is_small(images: tuple[Image, Image], capsys: pytest.CaptureFixture[str]) -> None:
    whole, own = images[0].megabytes(), images[0].megabytes(above=1)
    with capsys.disabled():
        print(
            f"\nthe operator's image: {own:.1f} MB compressed above its base, {whole:.1f} MB with the base of this test"
        )
    assert own < LARGEST_MEGABYTES


def test_the_image_runs_the_operator_as_an_ordinary_user(images: tuple[Image, Image]) -> None:
    config = images[0].config()
    assert config["User"] == "65532:65532"
    assert [*config["Entrypoint"], *config["Cmd"]] == ["python3", "/app/bin/npuserve", "run"]


def test_nothing_in_the_image_is_open_to_others_or_gives_rights(root: Path) -> None:
    files = [path for path in (root / "app").rglob("*") if not path.is_symlink()]
    assert files
    assert [path for path in files if path.stat().st_mode & 0o6002] == []
    assert [path for path in files if path.is_file() and not path.stat().st_mode & 0o004] == []


def test_the_operator_works_from_the_images_root_file_system_without_writing_to_it(
    images: tuple[Image, Image], root: Path
) -> None:
    config = images[0].config()
    environment = dict(item.split("=", 1) for item in config["Env"])
    environment["PATH"] += f":{os.environ['PATH']}"
    with site(nodes.a2_64g("a2", 1)) as built:
        command = in_root(root, *config["Entrypoint"], *config["Cmd"], shown=(built.cluster.folder,))
        built.start(command=command, environment=environment)
        tenant = Tenant(built.api, "team-a")
        tenant.ask("chat")
        tenant.wait_until_ready("chat")


@pytest.mark.parametrize("name", ["operator", "vllm-ascend-nonroot"])
def test_the_base_is_an_exact_version_that_a_release_can_pin(name: str) -> None:
    text = (ROOT / "images" / name / "Dockerfile").read_text()
    (base,) = re.findall(r"^ARG BASE=(\S+)$", text, flags=re.MULTILINE)
    assert re.fullmatch(r"\S+:v?\d+\.\d+\.\d+(-slim-\w+)?", base)
    assert set(re.findall(r"^FROM .*?(\S+)(?: AS \w+)?$", text, flags=re.MULTILINE)) == {"${BASE}"}


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock.read_text(), flags=re.MULTILINE))


def test_the_image_holds_what_the_tests_are_run_with_and_nothing_for_development() -> None:
    tested, shipped = pins(ROOT / "requirements.lock"), pins(FOLDER / "requirements.lock")
    assert {name: tested.get(name) for name in shipped} == shipped
    assert not {"pytest", "mypy", "ruff", "pip", "kubernetes"} & set(shipped)


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_that_is_downloaded_is_named_by_its_hash(lock: str) -> None:
    text = (FOLDER / lock).read_text()
    assert text.count("==") > 0
    assert all("--hash=sha256:" in part for part in re.split(r"\n(?=[a-z])", text.strip()))


def test_the_other_processors_image_is_made_here_too(tmp_path: Path) -> None:
    """Ascend servers are arm64 more often than not; nothing of what is installed has to be started."""
    target = tmp_path / "app"
    environment = os.environ | {"TARGETARCH": "arm64"}
    words = [sys.executable, str(FOLDER / "install.py"), str(ROOT), str(target)]
    subprocess.run(words, env=environment, check=True, capture_output=True)
    machines = {path.read_bytes()[18:20] for path in target.rglob("*.so")}
    aarch64 = (183).to_bytes(2, "little")
    assert machines == {aarch64}
