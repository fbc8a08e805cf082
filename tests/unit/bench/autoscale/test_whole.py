"""The benchmark, small: it runs on two minutes of real traffic, and prints npuserve beside others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.autoscale.__main__ import MARKERS, README, main
from tests.bench.autoscale.sheets import filled
from tests.bench.autoscale.traces import found, rows_of

TRACES = Path(__file__).parents[3] / "bench" / "autoscale" / "traces"


@pytest.fixture
def two_minutes(tmp_path: Path) -> Path:
    rows = [row for row in rows_of(found(TRACES, holding="azure")[0]) if row[0] < 120]
    lines = "".join(f"{at},{prompt},{output}\n" for at, prompt, output in rows)
    (tmp_path / "two_minutes.csv").write_text("arrival_s,input_tokens,output_tokens\n" + lines)
    return tmp_path


def test_the_benchmark_prints_npuserve_beside_its_peers(two_minutes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--traces", str(two_minutes), "--peers", "oracle,KubeAI,static", "--processes", "1", "--plain"]
    assert main([*arguments, "--no-dynosim"]) == 0
    printed = capsys.readouterr().out
    for row in ("npuserve", "oracle", "KubeAI", "static", "engine thought 25 % slower", "no metrics for 15 min"):
        assert row in printed


def test_a_folder_without_a_trace_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rates.csv").write_text("pool,bin_start_s\n")
    assert main(["--traces", str(tmp_path), "--plain"]) == 1
    assert str(tmp_path) in capsys.readouterr().err


def test_an_unknown_peer_is_refused_with_those_there_are(two_minutes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--traces", str(two_minutes), "--plain", "--peers", "static,HAL"]) == 1
    assert "--peers names HAL; there are oracle," in capsys.readouterr().err


def test_a_negative_time_is_refused(two_minutes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--traces", str(two_minutes), "--minutes", "-1"])
    assert "--minutes: -1 is no time: give minutes, or 0" in capsys.readouterr().err


def test_the_readme_has_a_place_for_the_tables() -> None:
    assert filled(README.read_text("utf-8"), [], markers=MARKERS).count(MARKERS[0]) == 1
