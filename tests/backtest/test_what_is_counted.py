"""Every record is counted once, or refused with its line and reason, from whatever kind of log it comes."""

from __future__ import annotations

import gzip
import io
import sys
from collections import Counter

import pytest
import zstandard

from stream.commands.begin.backtest import closing_line
from stream.mapping import presets

MINUTE = 60_000


@pytest.fixture
def lines(record):
    return [record(number) for number in range(500)]


def counted(read, path) -> Counter[tuple[str, str]]:
    """Requests by account and target, over all ticks."""
    total: Counter[tuple[str, str]] = Counter()
    for row in read(path):
        total[row["account_id"], row["target"]] += row["count"]
    return total


def plain_recount(lines: list[bytes]) -> Counter[tuple[str, str]]:
    """The same from the records themselves, in a few lines that share nothing with the product."""
    import json

    total: Counter[tuple[str, str]] = Counter()
    for one in map(json.loads, lines):
        for target in (f"model:{one['model']}", *(f"capability:{name}" for name in one["capabilities"])):
            total[one["account_id"], target] += 1
    return total


def test_every_request_is_counted_once_for_its_account_model_and_capabilities(typed, read, lines, tmp_path):
    (tmp_path / "log.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    code, out, err = typed("backtest", tmp_path / "log.ndjson", "--counts", tmp_path / "counts")
    assert (code, err) == (0, "")
    assert out.startswith("500 records read, 0 not counted; 0 critical, 0 warning, 0 info; ")
    assert counted(read, tmp_path / "counts") == plain_recount(lines)


@pytest.mark.parametrize("kind", ["gz", "zst", "crlf", "no newline at the end", "standard input"])
def test_the_kind_of_log_makes_no_difference(typed, read, lines, tmp_path, monkeypatch, kind):
    plain = b"\n".join(lines) + b"\n"
    path = tmp_path / f"log.ndjson{'.' + kind if kind in ('gz', 'zst') else ''}"
    written = {"gz": gzip.compress, "zst": zstandard.ZstdCompressor().compress}.get(kind, bytes)(plain)
    written = plain.replace(b"\n", b"\r\n") if kind == "crlf" else written
    path.write_bytes(written.rstrip(b"\n") if kind == "no newline at the end" else written)
    if kind == "standard input":
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(open(path, "rb")))  # noqa: SIM115
    source = "-" if kind == "standard input" else path
    assert typed("backtest", source, "--counts", tmp_path / "counts")[0] == 0
    assert counted(read, tmp_path / "counts") == plain_recount(lines)


def test_several_logs_are_merged_by_their_clocks(typed, read, record, tmp_path):
    """A log that is read after another of the same hours is not late: time stands where the slower clock stands."""
    days = [record(number, at_ms=1_772_409_600_000 + number * MINUTE) for number in range(900)]
    (tmp_path / "even").write_bytes(b"\n".join(days[::2]))
    (tmp_path / "odd").write_bytes(b"\n".join(days[1::2]))
    code, out, _ = typed("backtest", tmp_path / "even", tmp_path / "odd", "--counts", tmp_path / "counts")
    assert code == 0
    assert out.startswith("900 records read, 0 not counted")
    assert counted(read, tmp_path / "counts") == plain_recount(days)


def test_repeats_late_and_broken_records_are_told_apart_and_counted(typed, read, lines, record, tmp_path):
    log = [*lines, lines[490], record(900, at_ms=1_772_409_600_000 - 60 * MINUTE), b"{", b'{"event_id": 7}']
    # Two hours later: closes the ticks of all before, so that what is late shows.
    log += [record(number, at_ms=1_772_409_600_000 + 120 * MINUTE + number) for number in range(1000, 1040)]
    log += [record(2000, at_ms=1_772_409_600_000 + MINUTE)]
    (tmp_path / "log").write_bytes(b"\n".join(log))
    code, out, _ = typed("backtest", tmp_path / "log", "--rejects", tmp_path / "rejects", "--report", tmp_path / "page")
    assert code == 0
    assert out.startswith(f"{len(log)} records read, 5 not counted")
    rejects = read(tmp_path / "rejects")
    assert [(row["line"], row["source"], row["reason"]) for row in rejects] == [
        (503, str(tmp_path / "log"), "not_json"),
        (504, str(tmp_path / "log"), "wrong_type"),
    ]
    assert all(row["detail"] for row in rejects)
    page = (tmp_path / "page").read_text()
    assert "<td>duplicate_event</td><td>1</td>" in page
    assert "<td>late_event</td><td>2</td>" in page


def test_an_empty_log_ends_well(typed, tmp_path):
    (tmp_path / "log").touch()
    outputs = {name: tmp_path / name for name in ("alerts", "accounts", "rejects", "counts", "report")}
    words = [word for name, path in outputs.items() for word in (f"--{name}", path)]
    code, out, err = typed("backtest", tmp_path / "log", *words)
    assert (code, err) == (0, "")
    assert out.startswith("0 records read, 0 not counted; 0 critical")
    assert [outputs[name].read_bytes() for name in ("alerts", "accounts", "rejects", "counts")] == [b""] * 4
    assert "No alert reached a person" in outputs["report"].read_text()


def test_the_same_log_gives_the_same_bytes(typed, lines, tmp_path):
    (tmp_path / "log").write_bytes(b"\n".join(lines))
    for name in ("one", "two"):
        assert typed("backtest", tmp_path / "log", "--counts", tmp_path / name)[0] == 0
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_closing_line_survives_a_run_of_no_time():
    from stream.commands.begin.backtest import Outcome
    from stream.pipeline.embedded import Seen

    assert closing_line(Outcome(Seen(), None)).endswith("0 info; 0.0 s")  # type: ignore[arg-type]


@pytest.mark.parametrize("dialect", presets.NAMES)
def test_logs_of_other_platforms_are_counted_too(typed, read, tmp_path, dialect):
    sample = presets.FOLDER / f"{dialect}.ndjson"
    code, out, err = typed("backtest", sample, "--dialect", dialect, "--counts", tmp_path / "counts")
    assert (code, err) == (0, "")
    assert out.startswith(f"{len(sample.read_bytes().splitlines()):,} records read")
    assert any(target.startswith("model:") for _, target in counted(read, tmp_path / "counts"))
