"""What is read from the pages of real engines."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from npuserve.autoscale.page import Page
from npuserve.controller import exposition
from npuserve.controller.exposition import Reader, Unreadable
from npuserve.engines import mindie_metrics, vllm_ascend_metrics
from tests.support.mindie_pages import mindie_page
from tests.support.vllm_pages import VllmReplica

VLLM, MINDIE = vllm_ascend_metrics.SOURCE, mindie_metrics.SOURCE


def read(text: bytes) -> Page:
    return Reader(VLLM).read(text)


def busy() -> VllmReplica:
    replica = VllmReplica()
    replica.show(running=3, waiting=2, cache=0.25)
    replica.serve(prompt=1000, output=50, wait=0.4, time=4.3, cached=600)
    replica.serve(prompt=20_000, output=3, wait=6.0, time=6.2)
    replica.begin(prompt=10, wait=0.05)
    return replica


def test_gauges_are_what_vllm_shows() -> None:
    page = read(busy().text())
    assert (page.running, page.waiting, page.cache) == (3, 2, 0.25)


def test_tokens_found_in_the_prefix_cache_are_no_work() -> None:
    counters = read(busy().text()).counters
    assert counters.prompt == 1000 + 20_000 + 10 - 600
    assert counters.prompts.total == 20_400
    assert counters.finished_prompt == 21_000


def test_tokens_of_requests_in_progress_are_counted() -> None:
    assert read(busy().text()).counters.generated == 54


def test_a_histogram_keeps_counts_by_bucket_and_the_exact_sum() -> None:
    first = read(busy().text()).counters.first
    assert first.total == pytest.approx(6.45)
    assert list(first.buckets()) == [(0.04, 0.06, 1), (0.25, 0.5, 1), (5.0, 7.5, 1)]


def test_ranks_of_data_parallelism_are_one_replica() -> None:
    replica = VllmReplica(ranks=2)
    replica.show(running=3, waiting=1, cache=0.2, rank=0)
    replica.show(running=5, waiting=0, cache=0.6, rank=1)
    for rank in (0, 1):
        replica.serve(prompt=100, output=10, wait=0.2, time=1.0, rank=rank)
    page = read(replica.text())
    assert (page.running, page.waiting, page.cache) == (8, 1, pytest.approx(0.4))
    assert (page.counters.outputs.count, page.counters.outputs.total) == (2, 20)


def test_any_name_of_a_model_is_read() -> None:
    replica = VllmReplica('a "quoted" } name, with = all\\that')
    replica.show(running=4)
    assert read(replica.text()).running == 4


def test_a_second_page_of_the_same_replica_is_read_anew() -> None:
    replica, reader = busy(), Reader(VLLM)
    before = reader.read(replica.text())
    replica.serve(prompt=70, output=7, wait=0.1, time=0.5)
    gained = reader.read(replica.text()).counters.since(before.counters)
    assert gained is not None
    assert (gained.generated, gained.outputs.values(), gained.prompts.values()) == (
        7,
        [pytest.approx(7)],
        [pytest.approx(70)],
    )


def test_every_value_is_the_one_that_the_parser_reads() -> None:
    text = busy().text()
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    counters = read(text).counters
    for name, histogram in (
        (VLLM.first, counters.first),
        (VLLM.gaps, counters.gaps),
        (VLLM.prompts, counters.prompts),
        (VLLM.outputs, counters.outputs),
    ):
        assert (histogram.count, histogram.total) == (sums[f"{name}_count"], sums[f"{name}_sum"])
    assert counters.whole == sums[VLLM.whole]


def test_mindie_tells_arrivals_and_tokens_in_progress_in_its_own_way() -> None:
    page = Reader(MINDIE).read(
        mindie_page(running=2, waiting=1, cache=0.1, received=7, firsts=(0.2, 0.3), paces=(0.05,) * 8)
    )
    assert (page.running, page.waiting, page.cache) == (2, 1, 0.1)
    assert (page.counters.arrived, page.counters.generated) == (7, 10)


def test_timestamps_do_no_harm() -> None:
    text = b"\n".join(
        line if line.startswith(b"#") or not line else line + b" 1700000000000" for line in busy().text().split(b"\n")
    )
    assert read(text) == read(busy().text())


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda text: b"", "shows no vllm:e2e_request_latency_seconds_sum, "),
        (lambda text: b"<html>not here</html>", "shows no "),
        (lambda text: text.replace(b"vllm:num_requests_waiting{", b"vllm:num_requests_queued{"), "no vllm:num_requests_waiting"),
        (lambda text: text.replace(b"vllm:time_to_first_token_seconds_bucket", b"vllm:ttft_bucket"), "no histogram vllm:time_to"),
        (lambda text: text.replace(b'engine="0",model_name="qwen3-32b"} 3.0', b'engine="0",model_name="qwen3-32b"} NaN'), "no number"),
        (lambda text: text.replace(b'engine="0",model_name="qwen3-32b"} 3.0', b'engine="0",model_name="qwen3-32b"} much'), "text format"),
        (lambda text: text[: len(text) // 2], "shows no"),
    ],
)  # fmt: skip
def test_what_is_no_page_is_refused_with_what_is_wrong(spoil, told: str) -> None:
    text = spoil(busy().text())
    assert text != busy().text()
    with pytest.raises(Unreadable, match=told):
        read(text)


def test_a_replica_that_changes_its_labels_at_every_look_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition, "KNOWN", 500)
    reader, text = Reader(VLLM), busy().text()
    for number in range(20):
        assert reader.read(text.replace(b"qwen3-32b", f"model-{number}".encode())) == read(text)
        assert len(reader._known) <= 500
