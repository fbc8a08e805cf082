"""Reading an engine's own source: what its parser, classes and registries say, from small packages written here."""

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from npuserve import engines
from npuserve.cli import packages
from npuserve.engines.argument_table import known_versions
from npuserve.engines.extract.architectures import read_architectures
from npuserve.engines.extract.environment import read_directly, read_environment
from npuserve.engines.extract.launch_flags import read_flags
from npuserve.engines.extract.metrics import read_metrics
from npuserve.engines.extract.nested_keys import read_nested
from npuserve.engines.extract.packages import read_package
from npuserve.engines.extract.schemes import read_schemes
from npuserve.engines.extract.sources import Definition, Library
from npuserve.engines.extract.table import file_name, format_table
from npuserve.engines.extract.values import ClassRef, reference
from npuserve.engines.extract.vllm_ascend import build_table, server_version
from npuserve.engines.extract.widening import widened_choices

SERVE = """
from srv.cli import make_arg_parser

class Serve:
    def subparser_init(self, subparsers):
        serve_parser = subparsers.add_parser("serve")
        serve_parser = make_arg_parser(serve_parser)
        serve_parser.add_argument("--grpc", action="store_true", default=False)
        return serve_parser
"""

CLI = """
import argparse, json
from dataclasses import field
from srv import envs
from srv.config import config
from srv.args import AsyncEngineArgs, optional_type

@config
class Base:
    chat_template: str | None = None
    log_config: str | None = envs.SRV_LOGGING
    modules: list[str] | None = None

    @classmethod
    def _customize(cls, kwargs):
        kwargs["modules"]["type"] = optional_type(str)
        return kwargs

    @classmethod
    def add_cli_args(cls, parser):
        kwargs = get_kwargs(cls)
        kwargs = cls._customize(kwargs)
        group = parser.add_argument_group(title=cls.__name__)
        for key, value in kwargs.items():
            extra = value.pop("flags", [])
            group.add_argument(*extra, f"--{key.replace('_', '-')}", **value)
        return parser

@config
class Front(Base):
    port: int = 8000
    origins: list[str] = field(default_factory=lambda: ["*"])
    middleware: list[str] = field(default_factory=lambda: [])

    @classmethod
    def _customize(cls, kwargs):
        kwargs = super()._customize(kwargs)
        kwargs["origins"]["type"] = json.loads
        del kwargs["origins"]["nargs"]
        kwargs["middleware"]["action"] = "append"
        if "nargs" in kwargs["middleware"]:
            del kwargs["middleware"]["nargs"]
        return kwargs

def make_arg_parser(parser):
    parser.add_argument("model_tag", type=str, nargs="?")
    parser.add_argument("--workers", "-w", type=int, default=None)
    parser.add_argument("--secret", help=argparse.SUPPRESS)
    parser = Front.add_cli_args(parser)
    return AsyncEngineArgs.add_cli_args(parser)
"""

ARGS = """
import argparse, json, sys
from itertools import permutations
from srv.config import CacheConfig, GraphConfig, TopConfig

def optional_type(kind):
    return kind

def get_kwargs(cls):
    for name in ():
        if name == "max_len":
            kind = human_readable_int_or_auto
        elif name in ("batched", "bytes"):
            kind = human_readable_int

class AsyncEngineArgs:
    @staticmethod
    def add_cli_args(parser, async_only=False):
        cache = get_kwargs(CacheConfig)
        group = parser.add_argument_group(title="Cache")
        if not ("serve" in sys.argv[1:]):
            group.add_argument("--model", **cache["model"])
        if async_only:
            group.add_argument("--never", **cache["model"])
        group.add_argument("--max-len", **cache["max_len"])
        group.add_argument("--utilization", **cache["utilization"])
        group.add_argument("--prefix-caching", "-pc", **{**cache["prefix_caching"], "default": None})
        group.add_argument("--dtype", **cache["dtype"])
        group.add_argument("--mode", **cache["mode"])
        group.add_argument("--sizes", **cache["sizes"])
        group.add_argument("--pair", **cache["pair"])
        group.add_argument("--token", **cache["token"])
        group.add_argument("--extra", **cache["extra"])
        group.add_argument("--old", **cache["old"])
        cache["traces"]["choices"] += [",".join(p) for p in permutations("ab", r=2)]
        group.add_argument("--traces", **cache["traces"])
        top = get_kwargs(TopConfig)
        top["free"]["type"] = optional_type(json.loads)
        parser.add_argument("--free", **top["free"])
        parser.add_argument("--graph", **top["graph"])
        parser.add_argument("--backend", choices=["b", "a"], default=None)
        parser.add_argument("--verbose", action=argparse.BooleanOptionalAction, default=False)
        return parser
"""

CONFIG = """
from dataclasses import field
from enum import IntEnum
from typing import Any, ClassVar, Literal
from pydantic import Field

def config(cls):
    return cls

DType = Literal["auto", "half"]
Wider = Literal[DType, "fp8"]

class Level(IntEnum):
    O0 = 0
    O1 = 1

@config
class GraphConfig:
    LIMIT: ClassVar[int] = 3
    mode: str = "full"
    sizes: list[int] | None = None
    level: Level = Level.O1
    done: bool = field(default=False, init=False)

@config
class CacheConfig:
    model: str = "none"
    max_len: int = Field(default=None, ge=-1)
    utilization: float = Field(default=0.92, gt=0, le=1)
    prefix_caching: bool = True
    dtype: Wider = "auto"
    mode: DType | str = "auto"
    sizes: list[int] | None = None
    pair: tuple[int, int] = (1, 2)
    token: bool | str | None = None
    extra: dict[str, Any] | str = field(default_factory=dict)
    old: bool = False
    \"\"\"Deprecated: this option is deprecated and will be removed in v0.33.\"\"\"
    traces: list[DType] | None = None

@config
class TopConfig:
    graph: GraphConfig = Field(default_factory=GraphConfig)
    free: dict[str, Any] | None = None
"""

ENVS = """
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    SRV_COMPUTED: int = 7

def home():
    return os.getenv("XDG", os.path.join(os.path.expanduser("~"), ".cache"))

def with_choices(name, default, choices):
    def getter():
        return os.getenv(name)
    return getter

def computed():
    return ask_the_machine()

variables = {
    "MAX_JOBS": lambda: os.getenv("MAX_JOBS", None),
    "SRV_LOGGING": lambda: os.getenv("SRV_LOGGING", "/etc/log.json"),
    "SRV_TIMEOUT": lambda: int(os.environ.get("SRV_TIMEOUT", "600")),
    "SRV_HOME": lambda: os.path.join(home(), "srv"),
    "SRV_PRECISION": with_choices("SRV_PRECISION", "highest", ["highest", "medium"]),
    "SRV_COMPUTED": computed,
    "SRV_SWITCH": lambda: os.environ.get("SRV_SWITCH", "False").lower() == "true",
}

def __getattr__(name):
    if name in variables:
        return variables[name]()
    raise AttributeError(name)
"""

SERVER = {
    "srv/__init__.py": "",
    "srv/serve.py": SERVE,
    "srv/cli.py": CLI,
    "srv/args.py": ARGS,
    "srv/config.py": CONFIG,
    "srv/envs.py": ENVS,
}


@pytest.fixture(scope="module")
def flags():
    library = Library(SERVER)
    return read_flags(library, library.module("srv.serve"))


def test_every_declared_flag_is_found_and_nothing_hidden_or_positional(flags) -> None:
    engine = "model max-len utilization prefix-caching dtype mode sizes pair token extra old traces free graph backend verbose"
    front = "chat-template log-config modules port origins middleware workers grpc"
    assert sorted(flags) == sorted(f"{engine} {front}".split())


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("utilization", {"type": "float", "default": 0.92, "gt": 0, "le": 1}),
        ("max-len", {"type": "int", "default": None, "ge": -1, "human_readable": True}),
        ("prefix-caching", {"type": "bool", "default": None, "negatable": True, "aliases": ["pc"]}),
        ("dtype", {"type": "str", "default": "auto", "choices": ["auto", "fp8", "half"]}),
        ("mode", {"type": "str", "default": "auto"}),
        ("sizes", {"type": "list", "default": None, "elements": "int", "nargs": "+"}),
        ("pair", {"type": "list", "default": [1, 2], "elements": "int", "nargs": 2}),
        ("token", {"type": "str", "default": None, "nargs": "?"}),
        ("extra", {"type": "json", "default": {}, "text": True}),
        ("old", {"type": "bool", "default": False, "negatable": True, "deprecated": "to be removed in 0.33"}),
        ("traces", {"type": "list", "default": None, "elements": "str", "nargs": "+"}),
        ("free", {"type": "json", "default": None}),
        ("backend", {"type": "str", "default": None, "choices": ["a", "b"]}),
        ("verbose", {"type": "bool", "default": False, "negatable": True}),
        ("grpc", {"type": "bool", "default": False}),
        ("workers", {"type": "int", "default": None, "aliases": ["w"]}),
        ("origins", {"type": "json", "default": ["*"]}),
        ("middleware", {"type": "list", "default": [], "elements": "str", "repeated": True}),
        ("modules", {"type": "list", "default": None, "elements": "str", "nargs": "+"}),
        ("log-config", {"type": "str", "default": "/etc/log.json"}),
    ],
)
def test_a_flag_carries_what_its_field_and_its_special_cases_say(flags, name: str, entry: dict[str, object]) -> None:
    assert flags[name] == entry


def test_a_json_flag_knows_the_keys_of_its_class_that_may_be_set(flags) -> None:
    assert flags["graph"]["keys"] == {
        "mode": {"type": "str", "default": "full"},
        "sizes": {"type": "list", "elements": "int", "nullable": True, "default": None},
        "level": {"type": "any", "default": 1},
    }


def test_variables_have_the_value_of_an_empty_environment() -> None:
    library = Library(SERVER)
    found = read_environment(library, library.module("srv.envs"), registry="variables", build_script="envs.MAX_JOBS")
    assert {name: entry["default"] for name, entry in found.items()} == {
        "MAX_JOBS": None,
        "SRV_COMPUTED": 7,
        "SRV_HOME": "~/.cache/srv",
        "SRV_LOGGING": "/etc/log.json",
        "SRV_PRECISION": "highest",
        "SRV_SWITCH": False,
        "SRV_TIMEOUT": 600,
    }


def test_a_variable_is_one_of_the_build_when_only_the_build_script_reads_it() -> None:
    script = "envs.MAX_JOBS, os.environ['SRV_TIMEOUT']"
    library = Library({**SERVER, "srv/run.py": "from srv import envs\nenvs.SRV_TIMEOUT"})
    found = read_environment(library, library.module("srv.envs"), registry="variables", build_script=script)
    assert [name for name, entry in found.items() if entry.get("build")] == ["MAX_JOBS"]


def test_variables_read_past_the_registry_are_found_where_they_are_read() -> None:
    text = 'import os\nos.environ["SET"] = "1"\na = os.getenv("ONE", "x")\nb = os.environ["TWO"]\nc = "THREE" in os.environ'
    found = read_directly(Library({"plug/a.py": text, "other/b.py": 'import os\nos.getenv("FOUR")'}), "plug/")
    assert found == {
        "ONE": {"default": "x", "source": "plug/a.py"},
        "THREE": {"default": None, "source": "plug/a.py"},
        "TWO": {"default": None, "source": "plug/a.py"},
    }


READ_STYLE = """
class Settings:
    def __init__(self, cfg):
        nested = cfg.nested if cfg.nested is not None else {}
        graph = nested.get("graph", {})
        self.graph = Graph(**graph)
        chunk = nested.get("chunk", {})
        self.chunk = Chunk(chunk, cfg)
        self.balance = Balance(nested.get("balance", {}))
        self.bind = nested.get("bind", True)
        self.path = nested.get("path", None)
        from plug import envs as own
        self.nz = self._value(nested, "nz", "PLUG_NZ", own.PLUG_NZ)

    def _value(self, nested, key, variable, fallback):
        return nested[key] if key in nested else fallback

class Graph:
    def __init__(self, fuse: bool = True, **kwargs):
        self.more = kwargs.get("more", 3)

class Chunk:
    ratio = 0.5
    def __init__(self, chunk, cfg):
        self.size = int(chunk.get("size", 4096))
        self.ratio = chunk.get("ratio", self.ratio)

class Balance:
    _defaults = {"interval": 600, "stage": "all"}
    def __init__(self, given=None):
        for key in given:
            self.config = key
"""


def nested_of(files: dict[str, str]) -> dict[str, object]:
    library = Library(files)
    found = library.resolve(library.module("plug.settings"), "Settings")
    assert isinstance(found, Definition)
    root = reference(found)
    assert isinstance(root, ClassRef)
    return read_nested(library, root=root, argument="nested", package="plug/")


def test_keys_that_are_read_one_by_one_are_found_with_the_keys_below_them() -> None:
    files = {
        "plug/__init__.py": "",
        "plug/settings.py": READ_STYLE,
        "plug/envs.py": "import os\nenv = {'PLUG_NZ': lambda: int(os.getenv('PLUG_NZ', 1))}\n"
        "def __getattr__(name):\n    if name in env:\n        return env[name]()\n",
        "plug/far.py": 'def f(c):\n    return bool(c.nested.get("far"))\n',
    }
    assert nested_of(files) == {
        "strict": False,
        "keys": {
            "balance": {
                "type": "json",
                "default": {},
                "keys": {"interval": {"type": "int", "default": 600}, "stage": {"type": "str", "default": "all"}},
            },
            "bind": {"type": "bool", "default": True},
            "chunk": {
                "type": "json",
                "default": {},
                "keys": {"ratio": {"type": "float", "default": 0.5}, "size": {"type": "int", "default": 4096}},
            },
            "far": {"type": "bool", "default": False},
            "graph": {
                "type": "json",
                "default": {},
                "keys": {"fuse": {"type": "bool", "default": True}, "more": {"type": "int", "default": 3}},
            },
            "nz": {"type": "int", "default": 1},
            "path": {"type": "any", "default": None},
        },
    }


DECLARED_STYLE = """
from __future__ import annotations
import dataclasses
from typing import Any, Literal

def config(cls):
    return cls

@config
class Chunk:
    size: int = 4096

@config
class Scheduler:
    balance: bool = False
    chunk: Chunk = dataclasses.field(default_factory=Chunk)

@config
class Settings:
    bind: bool = True
    algorithm: Literal["", "ring"] = ""
    path: str | None = None
    derived: int = 1
    scheduler: Scheduler = dataclasses.field(default_factory=lambda: Scheduler())
    _private: set[int] = dataclasses.field(default_factory=set, init=False)

def make(nested):
    refresh = nested.get("refresh", False)
    chunk = nested.get("chunk", {})
    path = nested.get("path")
    taken_out = {"refresh", "derived", "path", "chunk"}
    return Settings(path=path, **{k: v for k, v in nested.items() if k not in taken_out})
"""


def test_a_class_that_forbids_other_keys_is_read_with_what_its_factory_takes_out() -> None:
    chunk = {"size": {"type": "int", "default": 4096}}
    assert nested_of({"plug/settings.py": DECLARED_STYLE}) == {
        "strict": True,
        "keys": {
            "algorithm": {"type": "str", "choices": ["", "ring"], "default": ""},
            "bind": {"type": "bool", "default": True},
            "chunk": {"type": "json", "keys": chunk, "default": None, "deprecated": "moved"},
            "path": {"type": "str", "nullable": True, "default": None},
            "refresh": {"type": "bool", "default": False},
            "scheduler": {
                "type": "json",
                "default": None,
                "keys": {
                    "balance": {"type": "bool", "default": False},
                    "chunk": {"type": "json", "keys": chunk, "default": None},
                },
            },
        },
    }


def test_choices_that_a_plugin_adds_count() -> None:
    patch = (
        "import typing\nfrom srv.config import CacheConfig\n"
        'MORE = typing.Literal[*ORIGINAL.__args__ + ("int8",)]\n'
        'def apply():\n    CacheConfig.__annotations__["dtype"] = MORE\n'
    )
    files = {**SERVER, "plug/patch/a.py": patch}
    library = Library(files, widened_choices(Library(files), "plug/patch/"))
    assert read_flags(library, library.module("srv.serve"))["dtype"]["choices"] == ["auto", "fp8", "half", "int8"]


def test_architectures_are_those_of_the_registry_and_of_the_plugin() -> None:
    registry = (
        'TEXT = {"AForCausalLM": ("a", "A"), "BForCausalLM": ("b", "A")}\n'
        'MODELS = {**TEXT, **{f"{k}Model": v for k, v in TEXT.items() if v[0] == "b"}}\n'
    )
    plugin = 'def register():\n    Registry.register_model("CForCausalLM", "plug.c:C")\n'
    library = Library({"srv/registry.py": registry, "plug/models.py": plugin})
    found = read_architectures(library, library.module("srv.registry"), table="MODELS", plugin="plug/")
    assert found == ["AForCausalLM", "BForCausalLM", "BForCausalLMModel", "CForCausalLM"]


def test_a_package_is_what_its_archive_says() -> None:
    archive = {"PKG-INFO": "Name: srv\nVersion: 1.2\nRequires-Python: >=3.10\n", "srv/a.py": "", "docs/b.py": ""}
    package = read_package("srv", archive)
    assert (package.version, package.requires_python, list(package.files)) == ("1.2", ">=3.10", ["srv/a.py"])


def test_a_table_is_written_the_same_way_whatever_the_order() -> None:
    first = {"version": "1", "engine": "e", "flags": {"b": 1, "a": 2}}
    second = {"engine": "e", "flags": {"a": 2, "b": 1}, "version": "1"}
    assert format_table(first) == format_table(second)
    assert file_name(first) == "e-1.json"


@pytest.mark.parametrize(
    ("version", "server"), [("0.23.0", "0.23.0"), ("0.23.0.post1", "0.23.0"), ("0.30.0rc2", "0.30.0")]
)
def test_a_plugin_version_runs_on_the_server_of_the_same_release(version: str, server: str) -> None:
    assert server_version(version) == server


def test_a_package_that_is_laid_out_differently_is_refused_by_name() -> None:
    empty = read_package("vllm", {"PKG-INFO": "Version: 9\n"})
    with pytest.raises(LookupError, match=r"no module vllm\.entrypoints\.cli\.serve"):
        build_table(empty, empty)


def test_a_committed_table_is_in_the_generators_own_format() -> None:
    folder = Path(engines.__file__).parent / "tables"
    for version in known_versions("vllm-ascend"):
        text = (folder / f"vllm-ascend-{version}.json").read_text(encoding="utf-8")
        assert format_table(json.loads(text)) == text


def add(archive: tarfile.TarFile, name: str, text: str) -> None:
    content = text.encode()
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def has_pip() -> bool:
    return subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not has_pip(), reason="this environment has no pip to download with")
def test_downloading_a_source_package_runs_none_of_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, into, trace = tmp_path / "shelf", tmp_path / "into", tmp_path / "trace"
    shelf.mkdir()
    into.mkdir()
    with tarfile.open(shelf / "vllm-1.0.tar.gz", "w:gz") as archive:
        add(archive, "vllm-1.0/PKG-INFO", "Metadata-Version: 2.1\nName: vllm\nVersion: 1.0\n")
        add(
            archive,
            "vllm-1.0/pyproject.toml",
            '[build-system]\nrequires = ["torch"]\nbuild-backend = "setuptools.build_meta"\n',
        )
        add(archive, "vllm-1.0/setup.py", f"open({str(trace)!r}, 'w')\n")
        add(archive, "vllm-1.0/vllm/envs.py", "A = 1\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    package = packages._fetch("vllm", "1.0", into=into)
    assert (package.version, package.files) == ("1.0", {"vllm/envs.py": "A = 1\n"})
    assert not trace.exists()


@pytest.mark.skipif(not has_pip(), reason="this environment has no pip to download with")
def test_a_version_that_cannot_be_had_is_said_in_pips_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(packages.DownloadError, match=r"No matching distribution found for vllm==0\.99"):
        packages.fetch_sources("0.99", tmp_path)


# Quantized kernels

KERNELS = {
    "plug/methods/w8a8.py": '@register_scheme("W8A8", "linear")\nclass Linear: ...\n\n@register_scheme("W8A8_DYNAMIC", "moe")\nclass Experts: ...\n',
    "plug/methods/fp8.py": 'NAME = "fp8"\n\n@register_scheme(NAME, "linear")\nclass Blocks: ...\n',
    "plug/_310p/methods.py": '@register_scheme("W8A8SC", "linear")\nclass Compressed: ...\n',
    "plug/methods/registry.py": "def register_scheme(kind, layer):\n    return lambda cls: cls\n",
}


def test_kernels_are_what_the_plugin_registers_by_kind_of_layer_and_chip_family() -> None:
    found = read_schemes(Library(KERNELS), plugin="plug/", families=("310P",))
    assert found == {
        "": {"linear": ["W8A8", "fp8"], "moe": ["W8A8_DYNAMIC"]},
        "310P": {"linear": ["W8A8SC"]},
    }


def test_metrics_are_named_as_the_text_format_shows_them() -> None:
    loggers = """
class Logger:
    def __init__(self):
        self.a = self._gauge_cls(name="eng:running", documentation="...")
        self.b = make(self._counter_cls(name="eng:tokens", documentation="..."))
        self.c = Counter(name="eng:seen_total")
        self.d = self._histogram_cls(name="eng:wait", buckets=[1])
        self.e = self._gauge_cls(name="other:thing")
        self.f = self.thing(name="eng:no_metric")
        self.g = self._gauge_cls(name=some.variable)
"""
    found = read_metrics(
        Library({"eng/metrics/loggers.py": loggers, "eng/other.py": loggers.replace("wait", "no")}),
        "eng/metrics/",
        prefix="eng:",
    )
    assert found == {
        "counter": ["eng:seen_total", "eng:tokens_total"],
        "gauge": ["eng:running"],
        "histogram": ["eng:wait"],
    }
