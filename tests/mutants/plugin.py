"""A pytest plugin that makes the mistake named by RELET_MUTANT before anything of the package is imported."""

import importlib
import importlib.util
import os
import sys
from pathlib import Path

from tests.mutants.mutants import ALL, Mutant


def _apply(mutant: Mutant) -> None:
    if mutant.where.startswith("relet."):
        _replace_module(mutant)
    else:
        _replace_statement(mutant)


def _replaced(text: str, mutant: Mutant) -> str:
    if mutant.old not in text:
        raise LookupError(f"{mutant.where} has no {mutant.old!r} any more")
    return text.replace(mutant.old, mutant.new)


def _replace_statement(mutant: Mutant) -> None:
    """For one engine: a statement is met in the file of its own folder, or in the portable one."""
    from relet.store import statements

    load = statements.load

    def spoilt(engine: str) -> dict[str, str]:
        found = load(engine)
        if engine == mutant.engine:
            found[mutant.where] = _replaced(found[mutant.where], mutant)
        return found

    statements.load = spoilt


def _replace_module(mutant: Mutant) -> None:
    spec = importlib.util.find_spec(mutant.where)
    assert spec is not None
    assert spec.origin is not None
    source = _replaced(Path(spec.origin).read_text(), mutant)
    module = importlib.util.module_from_spec(spec)
    sys.modules[mutant.where] = module
    exec(compile(source, spec.origin, "exec"), module.__dict__)
    setattr(importlib.import_module(mutant.where.rpartition(".")[0]), mutant.where.rpartition(".")[2], module)


_apply(next(mutant for mutant in ALL if mutant.name == os.environ["RELET_MUTANT"]))
