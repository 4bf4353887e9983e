"""The common form of benchmarks."""

import json
import platform

import pytest

from benchmarks.report import Row, as_json, figure, machine, main, per_second

ROWS = [
    Row(case="one", unit="pings/s", ours=12_345_678.9, peers={"redis": 430_000.0}, limit=259e6, note="simulated"),
    Row(case="two", unit="requests/s", ours=None, missing={"postgis": "not reachable"}),
]


def measured(quick: bool) -> list[Row]:
    """Rows for the test."""
    return ROWS[:1] if quick else ROWS


def test_the_last_line_of_json_output_is_the_agreed_object(capsys: pytest.CaptureFixture[str]) -> None:
    main("example", measured, ["--json"])
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(last) == {"name", "machine", "rows"}
    assert last["name"] == "example"
    assert last["rows"] == [
        {"case": "one", "unit": "pings/s", "ours": 12345700.0, "peers": {"redis": 430000.0}, "limit": 259e6},
        {"case": "two", "unit": "requests/s", "ours": None, "peers": {}, "limit": None},
    ]


def test_quick_is_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    main("example", measured, ["--quick", "--json"])
    assert len(json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]) == 1


def test_a_missing_peer_is_named_with_its_reason_in_both_forms(capsys: pytest.CaptureFixture[str]) -> None:
    for options in ([], ["--json"]):
        main("example", measured, options)
        assert "postgis missing: not reachable" in capsys.readouterr().out


def test_the_table_shows_how_many_times_a_peer_and_what_share_of_the_limit(capsys: pytest.CaptureFixture[str]) -> None:
    main("example", measured, [])
    out = capsys.readouterr().out
    assert "12.3 M" in out
    assert "(× 28.7)" in out
    assert "(5%)" in out
    assert "one: simulated" in out


def test_the_machine_is_described_without_naming_the_host() -> None:
    assert platform.python_version() in machine()
    assert "numba" in machine()
    if len(platform.node()) > 4:
        assert platform.node() not in machine()


def test_a_figure_that_is_no_number_is_never_printed() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        as_json("example", [Row(case="x", unit="u", ours=float("nan"))])


@pytest.mark.parametrize(("value", "text"), [(63.24e6, "63.2 M"), (4_512, "4.51 k"), (0.871, "0.871"), (0, "0")])
def test_figures_have_three_digits(value: float, text: str) -> None:
    assert figure(value) == text


def test_a_rate_counts_what_each_call_handles() -> None:
    calls = []
    assert per_second(lambda: calls.append(1), 1_000, repeats=3) > 0
    assert len(calls) == 4
