"""Who may import whom. The folders are the architecture (docs/architecture.md draws it); these are its arrows."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter

import pytest

from tests.house.sources import ROOT, imports, nodes, tracked, tree, under

PEERS = "benchmarks/peers/"  # what others build, by these libraries alone, in environments of their own
# A client library has one home: the files that may import it, folders with a slash at the end.
HOMES = {
    "faust": ("stream/stages/faust_log.py", "stream/stages/stalled.py", "stream/stages/private_parts.py", PEERS),
    "aiokafka": ("stream/kafka/", "stream/ingest/", PEERS),
    "prometheus_client": ("stream/telemetry/metrics/",),
    "pydantic_settings": ("stream/configuration/",),
    "tomllib": ("stream/configuration/settings.py", "stream/mapping/written.py"),
    "grafana_foundation_sdk": ("tools/dashboards/",),
}
# What the detectors may use besides themselves: pure computing, nothing that waits, writes, or asks the time.
PURE = {"__future__", "abc", "bisect", "collections", "ctypes", "dataclasses", "enum", "functools", "hashlib", "heapq",
        "itertools", "math", "msgspec", "numpy", "operator", "river", "scipy", "typing", "zlib",
        "importlib"}  # fmt: skip
# The rooms, from the ground up, and of those below which ones each may import. A room is a folder, or one file that
# stands alone; its own files and stream/errors.py go without saying. A new arrow is a line here, seen by a reviewer.
ROOMS = {
    "detectors.parameters": "",
    "detectors.counts": "detectors.parameters",
    "detectors.comparison": "detectors.parameters detectors.counts",
    "detectors.ties": "detectors.parameters detectors.counts detectors.comparison",
    "detectors.judgement": "detectors.parameters detectors.counts detectors.comparison detectors.ties",
    "detectors.triage": "detectors.parameters detectors.comparison detectors.ties",
    "detectors.room": "detectors.counts",
    "detectors.fleet": "detectors.parameters detectors.counts detectors.comparison detectors.ties "
                       "detectors.judgement detectors.triage detectors.room",
    "detectors.forgetting": "",
    "detectors.hour": "detectors.counts",
    "detectors.why": "detectors.parameters detectors.comparison detectors.ties detectors.judgement detectors.fleet",
    "stream.errors": "",
    "stream.extras": "",
    "stream.spoken": "",
    "stream.contract.reading": "",
    "stream.contract": "contract.reading",
    "stream.alerts": "detectors.comparison detectors.judgement detectors.triage spoken contract",
    "stream.sources.dialects": "contract.reading contract",
    "stream.mapping": "contract.reading contract sources.dialects",
    "stream.configuration": "detectors.parameters detectors.comparison mapping",
    "stream.pipeline": "detectors.parameters detectors.counts detectors.comparison detectors.room detectors.fleet "
                       "detectors.forgetting contract.reading contract alerts configuration",
    "stream.report": "detectors.parameters detectors.counts detectors.ties detectors.judgement detectors.triage "
                     "spoken contract alerts",
    "stream.kafka": "configuration",
    "stream.simulate.chance": "",
    "stream.simulate.customers": "simulate.chance",
    "stream.simulate.events": "simulate.chance simulate.customers",
    "stream.simulate.writing": "configuration kafka simulate.chance simulate.customers simulate.events",
    "stream.simulate": "simulate.chance simulate.customers simulate.events simulate.writing",
    "stream.sources": "contract.reading contract",
    "stream.telemetry.metrics": "",
    "stream.telemetry": "detectors.parameters detectors.counts detectors.comparison detectors.fleet "
                        "detectors.judgement spoken contract alerts pipeline report simulate.writing simulate "
                        "telemetry.metrics",
    "stream.samples": "detectors.parameters spoken contract.reading contract sources.dialects "
                      "mapping pipeline telemetry",
    "stream.terminal": "detectors.triage spoken contract report",
    "stream.sinks": "spoken contract configuration kafka telemetry.metrics telemetry",
    "stream.oncall": "contract.reading contract alerts pipeline sinks",
    "stream.console.shown": "detectors.parameters detectors.counts detectors.comparison detectors.triage "
                            "detectors.fleet spoken contract alerts pipeline report sinks",
    "stream.console": "contract alerts configuration telemetry.metrics oncall console.shown",
    "stream.console.routes": "detectors.parameters detectors.comparison detectors.triage spoken "
                             "contract.reading contract alerts report telemetry.metrics telemetry sinks oncall "
                             "console.shown console",
    "stream.receiver": "contract.reading contract",
    "stream.stages": "spoken configuration pipeline kafka telemetry.metrics telemetry sinks console console.routes",
    "stream.ingest": "detectors.counts configuration pipeline kafka telemetry.metrics telemetry stages",
    "stream.detect": "detectors.parameters configuration pipeline kafka telemetry.metrics telemetry stages",
    "stream.correlate": "detectors.parameters detectors.counts contract.reading contract alerts configuration "
                        "pipeline kafka telemetry.metrics telemetry sinks oncall console stages",
    "stream.commands": "detectors.parameters detectors.counts detectors.why spoken contract.reading contract alerts "
                       "mapping configuration pipeline report kafka simulate.chance simulate.events "
                       "simulate.writing simulate sources telemetry samples terminal sinks oncall console "
                        "console.routes receiver stages ingest detect correlate",
    "stream.cli": "extras spoken",  # knows commands by name, and imports the one that is called
    "stream.__main__": "cli",
}  # fmt: skip
PRIVATE_PARTS = ("stream/stages/private_parts.py", "stream/kafka/fetched.py")  # of Faust; of aiokafka, without Faust
PRODUCT = ("detectors/*.py", "stream/*.py")
FILES_MAX = 12


def module_of(path: str) -> str:
    """`stream/cli.py` is stream.cli, and an __init__ is its folder."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def room_of(module: str) -> str:
    """The innermost room that the module is in; nothing for the two packages themselves."""
    return max((room for room in ROOMS if under(module, room)), key=len, default="")


def allowed(room: str) -> set[str]:
    """What the table says, in full names."""
    return {one if under(one, "detectors") else f"stream.{one}" for one in ROOMS[room].split()}


def modules() -> set[str]:
    """Every module that holds code; the opening page of a room is none."""
    return {module_of(path) for path in tracked(*PRODUCT) if not is_page(path)}


def is_page(path: str) -> bool:
    """Whether the file is a docstring and nothing else."""
    return path.endswith(".py") and len(tree(path).body) <= 1


def arrows() -> dict[tuple[str, str], str]:
    """(from, to) of every import between two rooms, with one place where it is."""
    found, known = {}, modules()
    for path in tracked(*PRODUCT):
        here = room_of(module_of(path))
        for one in imports(path):
            there = room_of(one.module)
            if here and one.module in known and there not in (here, "stream.errors"):
                found[here, there] = f"{path}:{one.line} imports {one.module}"
    return found


def test_every_file_of_the_product_stands_in_a_room():
    homeless = [path for path in tracked(*PRODUCT) if path.count("/") and not room_of(module_of(path))]
    assert set(homeless) == {"detectors/__init__.py", "stream/__init__.py"}, homeless


def test_every_import_between_rooms_is_in_the_table():
    wrong = [
        f"{where}; {here} may import {ROOMS[here] or 'no other room'}. Move the thing to where both may reach it"
        for (here, there), where in arrows().items()
        if there not in allowed(here)
    ]
    assert not wrong, "\n".join(wrong)


def test_the_table_allows_nothing_upward_and_nothing_that_is_not_used():
    order = list(ROOMS)
    assert [(room, one) for room in ROOMS for one in allowed(room) if order.index(one) >= order.index(room)] == []
    assert {(room, one) for room in ROOMS for one in allowed(room)} - set(arrows()) == set()


def test_no_import_inside_a_room_runs_in_a_circle():
    files = {module_of(path): path for path in tracked(*PRODUCT) if not path.endswith("__init__.py")}
    needs = {module: {one.module for one in imports(path)} & set(files) - {module} for module, path in files.items()}
    while free := {module for module, needed in needs.items() if not needed & set(needs)}:
        for module in free:
            del needs[module]
    assert not needs, f"these import each other: {', '.join(sorted(needs))}"


def test_no_folder_is_too_full_to_be_seen_in_one_look():
    """Of the whole repository: a stranger looks for a test or a measurement as for a part of the product.

    A script of the shell and a file of C count as one of Python does, and so does an opening page that holds code.
    """
    full = Counter(path.rpartition("/")[0] for path in tracked("*.py", "*.sh", "*.c") if not is_page(path))
    wrong = [
        f"{folder}: {files} files, the limit is {FILES_MAX}" for folder, files in full.items() if files > FILES_MAX
    ]
    assert not wrong, "\n".join(wrong)


def test_every_room_has_an_opening_page():
    wrong = []
    for path in tracked("detectors/*__init__.py", "stream/*__init__.py"):
        page = ast.get_docstring(tree(path)) or ""
        if path.count("/") > 1 and not all(word in page for word in ("In:", "Out:", "ay never touch")):
            wrong.append(f"{path}: say what comes in, what goes out, what it may never touch")
        if len(page.splitlines()) > 20:
            wrong.append(f"{path}: a page of ten lines is read, one of {len(page.splitlines())} is not")
    assert not wrong, "\n".join(wrong)


def test_every_client_library_has_one_home():
    wrong = []
    for path in tracked("stream/*.py", "detectors/*.py", "tools/*.py", "benchmarks/*.py"):
        for one in imports(path):
            for library, homes in HOMES.items():
                if under(one.module, library) and not path.startswith(homes):
                    wrong.append(f"{path}:{one.line} imports {library}; only {' and '.join(homes)} may")
    assert not wrong, "\n".join(sorted(set(wrong)))


def touched_privately(path: str) -> list[ast.Attribute]:
    """What the file takes of others though they keep it for themselves; its own classes' parts are its own."""
    taken = [node for node in nodes(path) if isinstance(node, ast.Attribute) and re.match("_[a-z]", node.attr)]
    own = {node.attr for node in taken if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")}
    return [node for node in taken if node.attr not in own]


def test_what_is_private_to_a_client_library_is_touched_in_one_file_of_each():
    wrong = [
        f"{path}:{node.lineno} touches {ast.unparse(node)}; it belongs into one of {PRIVATE_PARTS}, with its reason"
        for path in tracked(*PRODUCT)
        if path not in PRIVATE_PARTS
        for node in touched_privately(path)
    ]
    assert not wrong, "\n".join(wrong)
    for path in PRIVATE_PARTS:
        assert touched_privately(path), "what is looked for is found where it may be"


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


def test_what_was_learnt_is_read_where_its_curves_are_added_up_and_itself_reads_nothing():
    """It is written by a program: whatever else built on its numbers would change with every lesson."""
    readers = {path for path in tracked("detectors/*.py") for one in imports(path)
               if under(one.module, "detectors.judgement.learnt")}  # fmt: skip
    rooms = {"hand", "belonging", "lessons"}  # the last begins where it ended, and adds what verdicts taught
    assert readers == {f"detectors/judgement/{one}.py" for one in rooms}
    assert {one.module.partition(".")[0] for one in imports("detectors/judgement/learnt.py")} == {"__future__"}


def test_the_hand_judges_traits_by_name_and_knows_no_account():
    known = {one.module for one in imports("detectors/judgement/hand.py") if under(one.module, "detectors")}
    assert known & modules() == {"detectors.judgement.learnt", "detectors.parameters"}


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


@pytest.mark.parametrize("path", ["stream/pipeline/frames.py", "stream/pipeline/envelope.py"])
def test_what_crosses_a_topic_knows_nothing_of_those_who_send_and_read_it(path: str):
    known = {one.module for one in imports(path) if under(one.module, "stream")} & modules()
    assert known <= {"stream.errors", "stream.pipeline.envelope", "stream.pipeline.messages.agreeing"}


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
        "import sys, stream.stages.shell; print(sorted({'river', 'scipy.stats', 'scipy.optimize'} & set(sys.modules)))"
    )
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert asked.stdout.strip() == "[]", f"import stream.stages.shell loads {asked.stdout.strip()}"
