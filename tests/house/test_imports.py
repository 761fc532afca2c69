"""Who may import whom. The folder list is the architecture; these are its arrows."""

from __future__ import annotations

import subprocess
import sys

from tests.house.sources import ROOT, imports, tracked, under

# A client library has one home: the files that may import it, folders with a slash at the end.
HOMES = {
    "faust": ("stream/detect/", "stream/correlate/", "stream/stage.py"),
    "aiokafka": ("stream/kafka.py", "stream/transactions.py", "stream/ingest/"),
    "prometheus_client": ("stream/metrics/", "stream/metrics.py"),
    "pydantic_settings": ("stream/settings.py", "stream/sections.py"),
    "tomllib": ("stream/settings.py",),
    "grafana_foundation_sdk": ("tools/dashboards/",),
}
# What the detectors may use besides themselves: pure computing, nothing that waits, writes, or asks the time.
PURE = {"__future__", "abc", "bisect", "collections", "dataclasses", "enum", "functools", "hashlib", "heapq",
        "itertools", "math", "msgspec", "numpy", "operator", "river", "scipy", "typing", "zlib"}  # fmt: skip
# Below the line of the composition: these know the detectors, and nothing of what runs them.
BELOW_PIPELINE = ("stream/contract/", "stream/frames.py", "stream/envelope.py")
SHELLS = ("stream.detect", "stream.correlate.worker", "stream.correlate.engine", "stream.ingest.worker",
          "stream.backtest", "stream.demo", "stream.watch", "stream.cli", "stream.kafka", "stream.topics",
          "stream.run")  # fmt: skip


# The judgement, in its steps: each may build on what stands before it, and knows nothing of what comes after.
STEPS = (
    ("population", "movement", "carriers", "holdings", "recent"),  # what did everybody do, carry, and ask for lately?
    ("neighbours", "networks"),  # who moved in whose company?
    ("crowds",),  # which targets draw a crowd, and into which networks does it fall?
    (
        "likeness",
        "lives",
        "membership",
        "operator",
        "coordination",
        "stories",
        "tracks",
    ),  # who belongs, how do they work, since when?
    ("learnt", "hand"),  # is it one operator's hand?
    ("groups",),
    ("incidents",),
    ("fleet",),
    ("why",),
)


def test_every_client_library_has_one_home():
    wrong = []
    for path in tracked("stream/*.py", "detectors/*.py", "tools/*.py", "benchmarks/*.py"):
        for one in imports(path):
            for library, homes in HOMES.items():
                if under(one.module, library) and not path.startswith(homes):
                    wrong.append(f"{path}:{one.line} imports {library}; only {' and '.join(homes)} may")
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_detectors_import_nothing_of_stream_and_nothing_that_waits_or_asks_the_time():
    wrong = []
    for path in tracked("detectors/*.py"):
        for one in imports(path):
            top = one.module.partition(".")[0]
            if top == "stream":
                wrong.append(f"{path}:{one.line} imports {one.module}; detectors know nothing of what runs them")
            elif top not in PURE | {"detectors"}:
                wrong.append(f"{path}:{one.line} imports {top}; detectors are pure: {', '.join(sorted(PURE))}")
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_a_step_of_the_judgement_knows_nothing_of_those_that_come_after_it():
    step_of = {f"detectors.{name}": number for number, names in enumerate(STEPS) for name in names}
    assert {f"{module.replace('.', '/')}.py" for module in step_of} <= set(tracked("detectors/*.py"))
    wrong = [
        f"{one.path}:{one.line} imports {one.module}, which is a later step of the judgement"
        for module, step in step_of.items()
        for one in imports(f"{module.replace('.', '/')}.py")
        if step_of.get(one.module, -1) > step
    ]
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_of_the_detectors_the_hand_alone_reads_what_was_learnt_which_itself_reads_nothing():
    """It is written by a program: whatever else built on its numbers would change with every lesson."""
    readers = {path for path in tracked("detectors/*.py") for one in imports(path)
               if under(one.module, "detectors.learnt")}  # fmt: skip
    assert readers == {"detectors/hand.py"}
    assert {one.module.partition(".")[0] for one in imports("detectors/learnt.py")} == {"__future__"}


def test_the_hand_judges_traits_by_name_and_knows_no_account():
    known = {one.module for one in imports("detectors/hand.py") if under(one.module, "detectors")}
    assert {name.split(".")[1] for name in known if "." in name} == {"learnt", "parameters"}


def test_the_simulator_and_the_detectors_share_no_code():
    wrong = [
        f"{one.path}:{one.line} imports {one.module}; a detector that knows its simulator proves nothing"
        for path in tracked("stream/simulate/*.py")
        for one in imports(path)
        if under(one.module, "detectors")
    ]
    wrong += [
        f"{one.path}:{one.line} imports {one.module}; a detector must not know a scenario"
        for path in tracked("detectors/*.py")
        for one in imports(path)
        if "simulate" in one.module
    ]
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_what_crosses_borders_knows_no_pipeline_and_no_shell():
    wrong = []
    for path in tracked(*(f"{name}*.py" if name.endswith("/") else name for name in BELOW_PIPELINE)):
        for one in imports(path):
            allowed = under(one.module, "stream.contract") or one.module in (
                "stream", "stream.frames", "stream.envelope", "stream.errors", "stream.ndjson"
            )  # fmt: skip
            if under(one.module, "stream") and not allowed and not one.module.startswith(
                ("stream.envelope.", "stream.errors.", "stream.frames.")
            ):  # fmt: skip
                wrong.append(f"{path}:{one.line} imports {one.module}; it may import detectors and the contract only")
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_the_composition_knows_none_of_those_who_run_it():
    wrong = [
        f"{one.path}:{one.line} imports {one.module}; workers, backtest and demo import the pipeline, never back"
        for path in tracked("stream/pipeline.py", "stream/embedded.py")
        for one in imports(path)
        if any(under(one.module, shell) for shell in SHELLS)
    ]
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_the_product_imports_neither_tests_nor_tools_nor_benchmarks():
    wrong = [
        f"{one.path}:{one.line} imports {one.module}; what is installed must not need the repository"
        for path in tracked("stream/*.py", "detectors/*.py")
        for one in imports(path)
        if one.module.partition(".")[0] in ("tests", "tools", "benchmarks", "pytest", "hypothesis")
    ]
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_what_is_pure_in_this_list_is_part_of_python_or_of_the_locked_libraries():
    """A typing error in PURE would let nothing in and nothing out."""
    known = set(sys.stdlib_module_names) | {"numpy", "scipy", "river", "msgspec"}
    assert known >= PURE


def test_a_worker_that_only_counts_loads_neither_river_nor_the_statistics_of_scipy():
    """They are a second and a half of its start and 50 MB; only the worker that judges needs them."""
    code = (
        "import sys, stream.detect.shell; print(sorted({'river', 'scipy.stats', 'scipy.optimize'} & set(sys.modules)))"
    )
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert asked.stdout.strip() == "[]", f"import stream.detect.shell loads {asked.stdout.strip()}"
