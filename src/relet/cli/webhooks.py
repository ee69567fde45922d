"""`relet webhooks`: who is told of what happens, and what was sent."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit
from uuid import UUID

from relet.cli.choose import operator
from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, Verbs, add_output_flags, add_store_flags, near
from relet.cli.table import Column
from relet.cli.target import opened
from relet.clock import Ids
from relet.errors import NotFound, UsageError
from relet.job.duration import to_us
from relet.job.webhook import EVENTS, TEST, checked_secret, secret_of, webhook_of
from relet.shapes.webhooks import DeliveryOut, WebhookOut, delivery_out, try_out, webhook_out
from relet.shapes.words import ago, clock, plural
from relet.store.port import Store

STATES = ("pending", "delivered", "failed", "dropped")


def configure(parser: Parser) -> None:
    verbs = Verbs(parser)
    named = [
        verbs.add("show", "one webhook").runs(run_show),
        verbs.add("test", "send it a message of the event webhook.test").runs(run_test),
        verbs.add("enable", "let it hear of what happens from now on").runs(run_enable),
    ]
    disable = verbs.add("disable", "let it hear of nothing; what was not sent is dropped").runs(run_disable)
    disable.add_argument("--reason", default="", help="kept with it")
    rotate = verbs.add("rotate", "sign by another secret, which is shown once").runs(run_rotate)
    rotate.add_argument("--keep", default="1d", metavar="DURATION", help="how long the former one signs, too (1d)")
    remove = verbs.add("rm", "remove it; what was not sent is dropped").runs(run_rm)
    named += [disable, rotate, remove]
    for verb in named:
        verb.add_argument("name", help="name of a webhook")
    unnamed = [verbs.add("ls", "list webhooks").runs(run_ls), _add(verbs), _deliveries(verbs), _redeliver(verbs)]
    for verb in (*named, *unnamed):
        add_store_flags(verb)
        add_output_flags(verb)


def _add(verbs: Verbs) -> Parser:
    add = verbs.add("add", "tell an address of what happens, or change what it hears of").runs(run_add)
    add.add_argument("address", help="https://…")
    add.add_argument("-e", "--event", dest="events", action="append", required=True, help=f"{', '.join(EVENTS)}, or *")
    add.add_argument("--name", help="by default the name of the host")
    add.add_argument("--queue", dest="queues", action="append", default=[], help="only of jobs of this queue")
    add.add_argument("--task", dest="tasks", action="append", default=[], help="only of jobs of this task")
    add.add_argument("--format", dest="told", choices=("standard", "cloudevents"), default="standard")
    return add


def _deliveries(verbs: Verbs) -> Parser:
    ls = verbs.add("deliveries", "what was sent, or one message with its attempts").runs(run_deliveries)
    ls.add_argument("id", nargs="?", help="one message")
    ls.add_argument("--webhook", default="", help="to this one")
    ls.add_argument("--state", default="", choices=STATES)
    ls.add_argument("--limit", type=int, default=50, help="at most so many (50)")
    return ls


def _redeliver(verbs: Verbs) -> Parser:
    again = verbs.add("redeliver", "send messages once more, as they are").runs(run_redeliver)
    again.add_argument("ids", nargs="+", metavar="ID", help="messages")
    return again


def run_ls(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        now = store.now()
        found = [webhook_out(row) for row in store.insights.webhooks()]
    out.records("webhooks", found, _columns(now), "nobody is told of what happens")
    return Exit.OK


def _columns(now: int) -> list[Column]:
    return [
        Column("webhook", lambda hook: hook["name"], flexible=True),
        Column("state", lambda hook: "active" if hook["active"] else "disabled"),
        Column("events", lambda hook: " ".join(hook["events"]), flexible=True),
        Column("delivered", lambda hook: ago(hook["delivered_at"], now), right=True),
        Column("failures", lambda hook: hook["failures"] or "", right=True),
        Column("why", lambda hook: hook["disable_reason"] or hook["last_error"] or "", flexible=True, spare=True),
    ]


def run_show(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        hook = _known(store, args.name)
    out.record(hook, lambda: _shown(out, hook))
    return Exit.OK


def _shown(out: Output, hook: WebhookOut) -> Iterator[str]:
    yield f"{out.style.bold(out.plain(hook['name']))}  {'active' if hook['active'] else 'disabled'}"
    yield from out.facts(
        [
            ("address", hook["url"]),
            ("events", ", ".join(hook["events"])),
            ("queues", ", ".join(hook["queues"])),
            ("tasks", ", ".join(hook["tasks"])),
            ("format", hook["format"]),
            ("disabled", _disabled(hook)),
            ("failures in a row", hook["failures"] or ""),
            ("failing since", clock(hook["failing_since"]) if hook["failing_since"] else ""),
            ("last error", hook["last_error"] or ""),
            ("last delivery", clock(hook["delivered_at"]) if hook["delivered_at"] else ""),
            ("changed", f"{clock(hook['changed_at'])} by {hook['changed_by']}"),
        ]
    )


def _disabled(hook: WebhookOut) -> str:
    if hook["disabled_at"] is None:
        return ""
    return f"{clock(hook['disabled_at'])} by {hook['disabled_by']}: {hook['disable_reason']}".removesuffix(": ")


def run_add(args: Namespace, out: Output) -> int:
    address: str = args.address
    name = args.name or urlsplit(address).hostname or ""
    hook = webhook_of(name, address, args.events, args.queues, args.tasks, args.told)
    secret = _new_secret()
    with opened(args, out) as store:
        made = store.put_webhook(hook, secret, operator())
        found = _known(store, hook.name)
    _told(out, found, secret if made else None)
    return Exit.OK


def run_rotate(args: Namespace, out: Output) -> int:
    keep_us, secret = to_us(args.keep, name="--keep"), _new_secret()
    with opened(args, out) as store:
        _known(store, args.name)
        store.rotate_webhook(args.name, secret, keep_us, operator())
        found = _known(store, args.name)
    _told(out, found, secret)
    return Exit.OK


def _told(out: Output, hook: WebhookOut, secret: str | None) -> None:
    """The secret is data, shown this once."""
    out.record({"webhook": hook, "secret": secret}, lambda: iter([secret] if secret else []))
    done = "signs by this secret, which is not shown again" if secret else "is changed; it keeps its secret"
    out.say(f"webhook {hook['name']} {done}")


def _new_secret() -> str:
    ids = Ids()
    return checked_secret(secret_of(ids.session() + ids.session()))


def run_test(args: Namespace, out: Output) -> int:
    delivery_id = Ids().job()
    with opened(args, out) as store:
        _known(store, args.name)
        store.send_webhook(args.name, TEST, delivery_id)
        row = store.insights.delivery(delivery_id)
    assert row is not None, "it was just written"
    out.records("deliveries", [delivery_out(row)], _sent_columns(row.at), "")
    out.say(f"see how it goes with: relet webhooks deliveries {UUID(bytes=delivery_id)}")
    return Exit.OK


def run_disable(args: Namespace, out: Output) -> int:
    return _change(args, out, lambda store: store.disable_webhook(args.name, operator(), args.reason), "disabled")


def run_enable(args: Namespace, out: Output) -> int:
    return _change(args, out, lambda store: store.enable_webhook(args.name, operator()), "enabled")


def _change(args: Namespace, out: Output, act: Callable[[Store], bool], done: str) -> int:
    with opened(args, out) as store:
        _known(store, args.name)
        changed, now = act(store), store.now()
        found = _known(store, args.name)
    out.records("webhooks", [found], _columns(now), "")
    out.say(f"{done} webhook {args.name}" if changed else f"webhook {args.name} was {done} already")
    return Exit.OK


def run_rm(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        hook = _known(store, args.name)
        store.delete_webhook(args.name)
    out.records("webhooks", [hook], _columns(0), "")
    out.say(f"removed webhook {args.name}")
    return Exit.OK


def run_deliveries(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        now = store.now()
        if args.id:
            return _one(args, out, store)
        found = [delivery_out(row) for row in store.insights.deliveries(args.webhook, args.state, limit=args.limit)]
    out.records("deliveries", found, _sent_columns(now), "nothing was sent")
    return Exit.OK


def _sent_columns(now: int) -> list[Column]:
    return [
        Column("message", lambda sent: sent["id"]),
        Column("webhook", lambda sent: sent["webhook"] or "(its own)", flexible=True),
        Column("event", lambda sent: sent["event"]),
        Column("happened", lambda sent: ago(sent["at"], now), right=True),
        Column("state", lambda sent: sent["state"]),
        Column("attempts", lambda sent: sent["attempts"], right=True),
    ]


def _one(args: Namespace, out: Output, store: Store) -> int:
    delivery_id = _id(args.id)
    row = store.insights.delivery(delivery_id)
    if row is None:
        raise _no_message(args.id)
    sent, tries = delivery_out(row), [try_out(each) for each in store.insights.delivery_attempts(delivery_id)]
    out.record({"delivery": sent, "attempts": tries, "body": row.body}, lambda: _message(out, sent, row.body))
    columns = [
        Column("n", lambda each: each["n"], right=True),
        Column("at", lambda each: clock(each["at"])),
        Column("ms", lambda each: round(each["seconds"] * 1000), right=True),
        Column("status", lambda each: each["status"] or "", right=True),
        Column("error", lambda each: each["error"], flexible=True),
    ]
    if out.form == "text":
        out.records("attempts", tries, columns, "it was not tried yet")
    return Exit.OK


def _message(out: Output, sent: DeliveryOut, body: str | None) -> Iterator[str]:
    yield f"{out.style.bold(sent['message'])}  {sent['state']}"
    yield from out.facts(
        [
            ("webhook", sent["webhook"] or "the address that its job names"),
            ("event", sent["event"]),
            ("about job", sent["job_id"] or ""),
            ("sent by job", sent["sender_id"]),
            ("body", body or ""),
        ]
    )


def run_redeliver(args: Namespace, out: Output) -> int:
    ids = Ids()
    with opened(args, out) as store:
        wanted = [_id(text) for text in args.ids]
        for text, delivery_id in zip(args.ids, wanted, strict=True):
            if store.insights.delivery(delivery_id) is None:
                raise _no_message(text)
        for delivery_id in wanted:
            store.resend(delivery_id, ids.job())
        rows = [row for delivery_id in wanted if (row := store.insights.delivery(delivery_id)) is not None]
        now = store.now()
    out.records("deliveries", [delivery_out(row) for row in rows], _sent_columns(now), "")
    out.say(f"{plural(len(rows), 'message')} will be sent again")
    return Exit.OK


def _id(text: str) -> bytes:
    try:
        return UUID(text.removeprefix("msg_")).bytes
    except ValueError:
        raise UsageError(f"{text!r} is no id of a message. List them with: relet webhooks deliveries") from None


def _no_message(text: str) -> NotFound:
    return NotFound(f"There is no message {text}. Nothing was changed. List them with: relet webhooks deliveries")


def _known(store: Store, name: str) -> WebhookOut:
    row = store.insights.webhook(name)
    if row is None:
        meant = near(name, [each.definition.name for each in store.insights.webhooks()])
        hint = f"Did you mean {meant!r}?" if meant else "List them with: relet webhooks ls"
        raise NotFound(f"There is no webhook {name!r}. Nothing was changed. {hint}")
    return webhook_out(row)
