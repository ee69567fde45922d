"""`relet migrate`: how the schema stands, what is missing, and bringing it up to date beside running workers."""

from __future__ import annotations

from argparse import Namespace

from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, Verbs, add_output_flags, add_store_flags
from relet.cli.target import resolved
from relet.settings import Settings
from relet.shapes.words import plural
from relet.store.migrate import Step
from relet.store.schema import SchemaState, bring_up_to_date, look

_INSTALL_NEWER = "Next: install the newer Relet here; this one must not write to it."


def configure(parser: Parser) -> None:
    verbs = Verbs(parser, required=False)
    status = verbs.add("status", "the version of the schema, and whether this program may write to it").runs(run_status)
    plan = verbs.add("plan", "the steps that are missing, with their SQL").runs(run_plan)
    apply = verbs.add("apply", "run the missing steps; the same as no command").runs(run_apply)
    for verb in (parser.runs(run_apply), status, plan, apply):
        add_store_flags(verb)
        add_output_flags(verb)
        if verb is not parser:
            verb.forget_defaults()


def run_status(args: Namespace, out: Output) -> int:
    state = look(resolved(args, out).url)
    out.record(_record(state), lambda: out.facts(_facts(state)))
    if not state.usable:
        out.say("next: relet migrate" if state.pending else _INSTALL_NEWER)
    return Exit.OK if state.usable else Exit.UNHEALTHY


def run_plan(args: Namespace, out: Output) -> int:
    state = look(resolved(args, out).url)
    steps = [{"version": step.version, "name": step.name, "sql": step.text} for step in state.pending]
    out.record(
        {**_record(state), "steps": steps},
        lambda: [f"-- step {step.version}: {step.name}\n{step.text}" for step in state.pending],
    )
    out.say(f"{plural(len(steps), 'step')} missing" + ("; run them: relet migrate" if steps else ""))
    return Exit.OK


def run_apply(args: Namespace, out: Output) -> int:
    settings: Settings = resolved(args, out)

    def done(step: Step) -> None:
        out.say(f"step {step.version}: {step.name}: done")

    count = bring_up_to_date(settings.url, done)
    state = look(settings.url)
    out.record(
        {**_record(state), "applied": count}, lambda: out.facts([*_facts(state), ("applied", plural(count, "step"))])
    )
    return Exit.OK


def _record(state: SchemaState) -> dict[str, object]:
    return {
        "engine": state.engine,
        "version": state.version,
        "floor": state.floor,
        "newest": state.newest,
        "pending": [step.name for step in state.pending],
        "usable": state.usable,
    }


def _facts(state: SchemaState) -> list[tuple[str, object]]:
    return [
        ("engine", state.engine),
        ("schema", f"version {state.version}" if state.version else "none yet"),
        ("this program brings", f"version {state.newest}"),
        ("missing", ", ".join(step.name for step in state.pending) or "nothing"),
    ]
