"""The size of files and functions, words that mean unfinished work, and the paper that each room must carry."""

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "relet"
ROOMS = ("job", "store", "work", "orchestrate", "maintain", "supervise", "testing", "web", "cli", "contrib")

FILE_LINES = 400
FUNCTION_LINES = 40
MEDIAN_LINES = 8

UNFINISHED = re.compile(r"\b(TODO|FIXME|NotImplementedError)\b")
EXCUSE = re.compile(r"#\s*(?:type: ignore|pyright: ignore|noqa)(?P<rest>.*)")
RULES = re.compile(r"^(\[[\w, -]+\]|:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*)")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _sources(*suffixes: str) -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*") if path.suffix in suffixes)


def _place(path: Path, line: int | None = None) -> str:
    shown = str(path.relative_to(ROOT))
    return shown if line is None else f"{shown}:{line}"


def _functions() -> Iterator[tuple[Path, Function]]:
    for path in _sources(".py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, Function):
                yield path, node


def _length(function: Function) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def _length_of_code(function: Function) -> int:
    """The lines of a function without its docstring: what a reader has to follow."""
    first = function.body[0]
    has_docstring = ast.get_docstring(function, clean=False) is not None
    docstring = first.end_lineno - first.lineno + 1 if has_docstring and first.end_lineno else 0
    return _length(function) - docstring


def test_there_is_something_to_measure() -> None:
    assert len(_sources(".py")) > 3
    assert len(list(_functions())) > 10


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {_place(path): len(path.read_text().splitlines()) for path in _sources(".py", ".sql")}
    assert {place: length for place, length in lengths.items() if length > FILE_LINES} == {}


def test_no_function_is_longer_than_40_lines() -> None:
    lengths = {_place(path, each.lineno) + f" {each.name}": _length(each) for path, each in _functions()}
    assert {place: length for place, length in lengths.items() if length > FUNCTION_LINES} == {}


def test_half_of_the_functions_have_at_most_8_lines_of_code() -> None:
    assert statistics.median(_length_of_code(function) for _, function in _functions()) <= MEDIAN_LINES


def test_nothing_is_left_unfinished() -> None:
    found = [
        _place(path, number)
        for path in _sources(".py", ".sql")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert found == []


def _lacks_reason(line: str) -> bool:
    excuse = EXCUSE.search(line)
    return bool(excuse) and not re.search(r"[A-Za-z]{3}", RULES.sub("", excuse["rest"]))


def test_every_silenced_check_names_its_rule_and_its_reason() -> None:
    found = [
        _place(path, number)
        for path in _sources(".py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if _lacks_reason(line)
    ]
    assert found == []


def test_a_silenced_check_without_reason_is_seen() -> None:
    assert _lacks_reason("x = 1  # noqa: BLE001")
    assert _lacks_reason("x = 1  # type: ignore[arg-type]")
    assert _lacks_reason("x = 1  # pyright: ignore[reportFoo, reportBar]")
    assert not _lacks_reason("x = 1  # noqa: BLE001, S301 - a job may raise anything")
    assert not _lacks_reason("x = 1  # pyright: ignore[reportFoo]  # apsw has no stub for this")
    assert not _lacks_reason("x = 1")


def test_every_room_explains_itself() -> None:
    rooms = [room for room in ROOMS if list((PACKAGE / room).glob("*.py"))]
    assert rooms
    assert [room for room in rooms if not (PACKAGE / room / "DESIGN.md").is_file()] == []
