"""The page in a real browser: nothing is fetched, and on a phone only charts and wide tables scroll sideways."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from detectors.parameters import Parameters
from stream.contract.alert import Alert, AlertSubject, AlertTarget
from stream.report.history import AlertHistory, FleetHistory
from stream.report.page import Told, render
from tests.pace import PATIENCE_S

T0 = 1_770_256_800_000
HOUR = 3_600_000
PROBE = """<script>
onload = () => {
  const frame = document.querySelector("iframe").contentWindow;
  const page = frame.document;
  document.body.textContent = "SEEN " + JSON.stringify({
    width: page.documentElement.scrollWidth,
    fetched: frame.performance.getEntriesByType("resource").map(one => one.name),
    dark: getComputedStyle(page.body).backgroundColor,
  });
};
</script>"""


def page() -> str:
    """A page with everything on it, and an id as long as the contract lets one be."""
    told = Told(["log"], Parameters(), FleetHistory(300_000), AlertHistory(300_000), from_ms=T0, until_ms=T0 + 9 * HOUR)
    for hour in range(T0 // HOUR, T0 // HOUR + 48):
        told.fleet.hours[hour] = 100
        told.fleet.counts["model:atlas-4"][hour] = hour % 60
        told.fleet.counts["model:" + "m" * 256][hour] = 100 - hour % 60
    target = AlertTarget("model", "atlas-4")
    shared = [{"dimension": "template", "value": "f" * 40, "accounts": 3, "organisations": 3, "elsewhere": 0}]
    series = [[T0 + hour * HOUR, hour / 50, 0.1] for hour in range(40)]
    told.changes = [
        Alert(
            alert_id="a1", status="firing", severity="critical", kind="coordinated_shift",
            subject=AlertSubject("cohort", "o" * 256, "org"), target=target, targets=(target,), started_at=T0,
            detected_at=T0, updated_at=T0, accounts=tuple(f"{n}" + "a" * 250 for n in range(50)), accounts_total=50,
            evidence={"share_after": 0.3, "shared_values": shared, "series": series}, summary="s" * 200,
        )
    ]  # fmt: skip
    return render(told)


@pytest.mark.service("chromium")
@pytest.mark.parametrize("dark", [False, True])
def test_it_reads_well_at_360_pixels_in_light_and_dark(program, tmp_path: Path, dark: bool):
    chromium = program("chromium", "chromium-browser", "google-chrome", of="chromium")
    (tmp_path / "report.html").write_text(page())
    frame = '<iframe src="report.html" style="width:360px;height:800px;border:0"></iframe>'
    (tmp_path / "probe.html").write_text(f"<body>{frame}{PROBE}</body>")
    flags = [
        "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--virtual-time-budget=5000",
        f"--user-data-dir={tmp_path / 'profile'}", f"--blink-settings=preferredColorScheme={0 if dark else 1}",
    ]  # fmt: skip
    done = subprocess.run(
        [chromium, *flags, "--dump-dom", (tmp_path / "probe.html").as_uri()],
        capture_output=True, text=True, timeout=PATIENCE_S, check=True,
    )  # fmt: skip
    found = re.search(r"SEEN (\{.*?\})", done.stdout)
    assert found, done.stdout
    seen = json.loads(found[1])
    assert seen["fetched"] == []
    assert seen["width"] <= 360
    assert seen["dark"] == ("rgb(16, 21, 27)" if dark else "rgb(246, 247, 249)")
