"""Does `make audit` pass only where it was told that nothing is known, and say so where nobody answers?"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tools.audit import CLEAN, UNKNOWN, VULNERABLE, audited, verdict

ROOT = Path(__file__).parents[2]
FINE = {"name": "fine", "version": "1.0", "vulns": []}
BAD = {"name": "bad", "version": "2.0", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["2.1"]}]}
UNASKED = {"name": "unasked", "skip_reason": "Dependency not found on PyPI"}


def test_a_vulnerable_package_is_named_with_what_is_known_of_it():
    code, told = verdict([FINE, BAD, UNASKED])
    assert code == VULNERABLE
    assert "bad 2.0: PYSEC-2026-1" in told
    assert "of 1 of 3 packages" in told


def test_what_could_not_be_asked_about_is_no_pass():
    assert verdict([FINE])[0] == CLEAN
    assert verdict([FINE, UNASKED])[0] == UNKNOWN
    assert verdict([])[0] == UNKNOWN


def test_an_index_that_cannot_be_reached_is_told(tmp_path, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    locked = tmp_path / "requirements.txt"
    locked.write_text(f"idna==3.10 --hash=sha256:{'0' * 64}\n")
    code, told = audited(locked, "--timeout", "5", "--cache-dir", str(tmp_path / "cache"))
    assert code == UNKNOWN
    assert "cannot be told" in told


def test_the_bill_of_materials_names_what_is_installed_and_nothing_that_only_develops(tmp_path):
    made = tmp_path / "sbom.cdx.json"
    done = subprocess.run(["make", "-s", "sbom", f"SBOM={made}"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    bill = json.loads(made.read_text())
    assert bill["bomFormat"] == "CycloneDX"
    names = {one["name"] for one in bill["components"]}
    assert {"aiokafka", "faust-streaming", "numpy"} <= names
    assert not names & {"pytest", "ruff", "mypy", "pip-audit"}
