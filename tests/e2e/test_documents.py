"""Every command that the documents show works as it stands there, in a copy of the tree with the cluster as the current one.

Those that install are in test_install.py. `make demo` runs for real; of other make targets it is asked what they would do.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest
import yaml

from tests.e2e.documents import ENVIRONMENT, WORKING, copy_tree, run
from tests.support.site import Site
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until

DEMO = ("make", "--assume-old=.venv/ready", "demo")
"""The environment that the tests run in is the one that make sets up; it is not set up again under them."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree as it is checked out, with the environment beside it, so that no command can change what is tested."""
    return copy_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture
def current(ground: Site, tenant: Tenant, tmp_path: Path) -> Mapping[str, str]:
    """The environment of a user whose current cluster and namespace are the test's."""
    config = yaml.safe_load(ground.cluster.admin_kubeconfig.read_text())
    config["contexts"][0]["context"]["namespace"] = tenant.namespace
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(config))
    return os.environ | {"PATH": f"{ENVIRONMENT / 'bin'}:{os.environ['PATH']}", "KUBECONFIG": str(kubeconfig)}


def without_make(command: str) -> str:
    """A make target as the question what it would do."""
    return command.replace("make ", "make --dry-run --assume-old=.venv/ready ", 1)


def test_the_readme_and_the_guide_for_contributors_show_commands() -> None:
    assert {"README.md", "CONTRIBUTING.md"} <= set(WORKING)


@pytest.mark.parametrize("document", WORKING)
def test_every_command_of_a_document_works_where_it_stands(
    tenant: Tenant, copy: Path, current: Mapping[str, str], document: str
) -> None:
    for command in WORKING[document]:
        done = run(without_make(command) if command.startswith("make ") else command, where=copy, environment=current)
        assert done, f"$ {command} prints nothing"
    until(lambda: NotYet("objects of a service are left") if tenant.children() else True)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """The environment of a demo whose temporary files can be told apart; afterwards neither they nor a process is left."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    yield os.environ | {"TMPDIR": str(folder)}
    until(lambda: NotYet(", ".join(left)) if (left := _left_over(folder)) else True, within=20)


def _left_over(folder: Path) -> list[str]:
    found = [str(path) for path in folder.iterdir()]
    for process in psutil.process_iter(["pid", "cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if str(folder) in line:
            found.append(f"{process.info['pid']} {line[:80]}")
    return found


def test_the_demo_brings_three_services_to_ready_and_leaves_nothing(copy: Path, demo: Mapping[str, str]) -> None:
    shown = run(shlex.join(DEMO), where=copy, environment=demo)
    table = [line.split()[:2] for line in shown.partition("$ kubectl get inferenceservices")[2].splitlines()[2:5]]
    assert table == [["qwen3-32b", "True"], ["qwen3-32b-mindie", "True"], ["qwen3-8b-300i-duo", "True"]]
    assert "The plan of qwen3-32b, and why" in shown


def test_a_demo_that_is_kept_says_how_to_reach_and_how_to_stop_it(copy: Path, demo: Mapping[str, str]) -> None:
    shown = run(shlex.join([*DEMO, "KEEP=1"]), where=copy, environment=demo)
    kubeconfig = re.search(r"^export KUBECONFIG=(\S+)$", shown, flags=re.MULTILINE)
    stop = re.search(r"^Stop it with: (.+)$", shown, flags=re.MULTILINE)
    assert kubeconfig
    assert stop
    reached = demo | {"KUBECONFIG": kubeconfig.group(1), "PATH": f"{ENVIRONMENT / 'bin'}:{demo['PATH']}"}
    try:
        run("kubectl wait --for=condition=Ready inferenceservices --all --timeout=5s", where=copy, environment=reached)
    finally:
        run(stop.group(1), where=copy, environment=demo)


def test_a_demo_that_is_interrupted_leaves_nothing(copy: Path, demo: Mapping[str, str]) -> None:
    """Ctrl-C reaches every process of the terminal's foreground group, and none ignores it as what a shell starts with & does."""
    in_a_terminal = ("env", "--default-signal=INT", *DEMO)
    with subprocess.Popen(
        in_a_terminal, cwd=copy, env=demo, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    ) as started:
        folder = Path(demo["TMPDIR"])
        until(lambda: True if list(folder.glob("*/kube-scheduler.log")) else NotYet("the cluster is not up"))
        os.killpg(started.pid, signal.SIGINT)
        started.communicate(timeout=30)
    assert started.returncode != 0
