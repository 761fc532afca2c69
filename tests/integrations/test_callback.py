"""Does the callback tell of a payload what the preset reads off the same payload? LiteLLM itself is not needed."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from stream.contract.request import Request, decode
from stream.mapping import presets
from stream.mapping.named import read_by

CALLBACK = Path(__file__).parents[2] / "integrations" / "litellm" / "swerve_callback.py"
SAID = "WHAT A CUSTOMER SAID"


@pytest.fixture
def callback(monkeypatch, tmp_path) -> ModuleType:
    """The callback, with a class of LiteLLM's that does nothing in the place of the real one."""
    logger = ModuleType("litellm.integrations.custom_logger")
    logger.CustomLogger = object  # type: ignore[attr-defined]
    for name in ("litellm", "litellm.integrations"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, logger.__name__, logger)
    monkeypatch.setenv("SWERVE_HASH_KEY", "a key of the hashes, of this test")
    monkeypatch.setenv("SWERVE_LOG", str(tmp_path / "log"))
    monkeypatch.delenv("SWERVE_KAFKA", raising=False)
    found = importlib.util.spec_from_file_location("swerve_callback", CALLBACK)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("image_tokens", "seen"), [(85, True), (0, False), (None, False)])
def test_a_request_of_which_tokens_of_images_are_counted_exercised_vision(callback, image_tokens, seen):
    payload = json.loads(presets.sample_of("litellm")[0])
    payload["metadata"]["usage_object"] = {"prompt_tokens_details": {"image_tokens": image_tokens}}
    messages = [{"role": "user", "content": [{"type": "text", "text": SAID}, {"type": "image_url", "image_url": {}}]}]
    record = json.dumps(callback.swerve.record_of({"standard_logging_object": payload | {"messages": messages}}))
    (read,) = read_by("litellm")(json.dumps(payload).encode())

    assert isinstance(read, Request)
    assert ("vision" in decode(record.encode()).capabilities, "vision" in read.capabilities) == (seen, seen)
    assert SAID not in record
