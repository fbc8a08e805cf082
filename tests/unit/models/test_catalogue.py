"""The built-in catalogue: complete, exact, quick, with its origin written down."""

import json
import time
from importlib.resources import files

import pytest

from npuserve.models.catalogue import canonical, lookup, names, nearest, origin, quantized_siblings
from npuserve.models.catalogue.entry import catalogue_entry, entry_file, entry_text
from npuserve.models.quantization import SCHEMES

FOLDER = files("npuserve.models.catalogue")


def data(file: str) -> dict:
    return json.loads((FOLDER / file).read_text(encoding="utf-8"))


def test_the_catalogue_holds_every_published_file() -> None:
    assert len(names()) == 197
    assert {"Qwen/Qwen3-32B", "deepseek-ai/DeepSeek-V3.2", "moonshotai/Kimi-K3", "openai/gpt-oss-120b"} <= set(names())


def test_every_file_has_its_origin_and_licence_written_down() -> None:
    notice = (FOLDER / "NOTICE.md").read_text(encoding="utf-8")
    rows = {
        line.split(" | ")[0].removeprefix("| "): line
        for line in notice.splitlines()
        if line.startswith("| ") and ".json" in line
    }
    assert set(rows) == {entry_file(name) for name in names()}
    assert all(len([cell for cell in row.split("|") if cell.strip()]) == 4 for row in rows.values())


@pytest.mark.parametrize("name", names())
def test_entries_are_written_by_the_rule(name: str) -> None:
    text = (FOLDER / "configs" / entry_file(name)).read_text(encoding="utf-8")
    assert text == entry_text(json.loads(text))


def test_an_entry_leaves_out_what_describes_no_model() -> None:
    config = {
        "_name_or_path": "/home/me",
        "hidden_size": 1,
        "time_step_limit": [0.0, float("inf")],
        "vision_config": {"_x": 1, "depth": 2},
    }
    assert catalogue_entry(config) == {"hidden_size": 1, "vision_config": {"depth": 2}}


def test_a_model_is_found_by_its_path_in_any_capitals_and_under_another_hubs_path() -> None:
    assert lookup("Qwen/Qwen3-32B").name == "Qwen/Qwen3-32B"
    assert lookup("qwen/qwen3-32b").name == "Qwen/Qwen3-32B"
    assert lookup("LLM-Research/Meta-Llama-3.1-8B-Instruct").name == "meta-llama/Llama-3.1-8B-Instruct"
    assert canonical("zhipuai/glm-4.5") == "zai-org/GLM-4.5"


@pytest.mark.parametrize(
    "path",
    [
        "Qwen3-32B",
        "Qwen/Qwen3-32B-mine",
        "me/Qwen3-32B",
        "",
        "Qwen",
        "../Qwen/Qwen3-32B",
        "Qwen--Qwen3-32B",
        "vllm-ascend/Qwen3-32B-W8A8",
    ],
)
def test_a_path_that_only_resembles_a_model_is_not_it(path: str) -> None:
    assert lookup(path) is None


def test_messages_offer_the_nearest_paths() -> None:
    assert nearest("Qwen/Qwen3-32B-Instruct")[0] == "Qwen/Qwen3-32B"
    assert nearest("Qwen3-32B")[0] == "Qwen/Qwen3-32B"
    assert nearest("deepseek/DeepSeek-V3.2")[0] == "deepseek-ai/DeepSeek-V3.2"
    assert nearest("nothing/like it at all") == ()
    assert len(nearest("Qwen/Qwen3-8B", 2)) == 2


def test_quantized_uploads_of_a_model_are_known_with_their_scheme_and_source() -> None:
    found = quantized_siblings("qwen/qwen3-32b")
    assert ("vllm-ascend/Qwen3-32B-W8A8", "W8A8") in {(sibling.path, sibling.scheme) for sibling in found}
    assert found[0].scheme == "W8A8"
    assert all(sibling.source for sibling in found)
    assert quantized_siblings("google/gemma-7b") == ()


def test_a_quantized_upload_knows_what_it_was_made_from() -> None:
    made = origin("vllm-ascend/qwen3-32b-w8a8")
    assert made is not None
    assert (made.base, made.upload.scheme) == ("Qwen/Qwen3-32B", "W8A8")
    assert origin("Qwen/Qwen3-32B") is None


def test_siblings_and_aliases_point_at_schemes_and_models_that_exist() -> None:
    rows = [row for listed in data("siblings.json")["siblings"].values() for row in listed]
    assert {row["scheme"] for row in rows} <= set(SCHEMES)
    assert len({row["path"] for row in rows}) == len(rows)
    aliases = data("aliases.json")["aliases"]
    assert set(aliases) <= set(names())
    flat = [alias for listed in aliases.values() for alias in listed]
    assert len(set(flat)) == len(flat)
    assert not set(flat) & set(names())


def test_a_sibling_in_the_catalogue_declares_the_scheme_it_is_listed_with() -> None:
    for listed in data("siblings.json")["siblings"].values():
        for row in listed:
            model = lookup(row["path"])
            assert model is None or model.quantization is None or model.quantization.scheme == row["scheme"]


def test_a_second_lookup_costs_less_than_a_tenth_of_a_millisecond() -> None:
    lookup("deepseek-ai/DeepSeek-V3.1")
    start = time.perf_counter()
    for _ in range(100):
        lookup("deepseek-ai/DeepSeek-V3.1")
    assert time.perf_counter() - start < 0.01
