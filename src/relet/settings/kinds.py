"""Kinds of values: how each is read from a flag, a variable or TOML, and how it is shown."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from relet.errors import UsageError
from relet.job.address import parse_networks
from relet.job.duration import format_us, to_bytes, to_us
from relet.job.limits import Rule, parse_rule, rule_of, say_rule
from relet.job.names import WORKER_BYTES, queue_name, worker_name
from relet.job.needs import offers, parse
from relet.job.prices import Price, parse_price
from relet.job.redact import HIDDEN, redact_url
from relet.job.textsafe import one_line, shown
from relet.job.webhook import checked_secret

_MOST_SHARES = 10_000


@dataclass(frozen=True)
class Kind:
    """How a value is read (from what was written, and a name for errors; raises UsageError), shown, and its unit."""

    unit: str
    read: Callable[[object, str], Any]
    show: Callable[[Any], str] = str
    suffix: str = ""
    quoted: bool = True

    def toml(self, text: str) -> str:
        """A shown value as TOML writes it."""
        return f'"{text}"' if self.quoted else text


def host_and_pid(pid: int) -> str:
    """The default name of a worker. A host name may hold anything; what cannot be in a name is dropped."""
    host = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "host")
    plain = "".join(c for c in host if c.isascii() and c.isprintable() and c != " ")[: WORKER_BYTES // 2]
    return f"{plain or 'host'}-{pid}"


def one_of(*words: str) -> Kind:
    """One of these words."""

    def read(value: object, name: str) -> str:
        word = str(value).strip().lower()
        if word not in words:
            raise UsageError(f"{name}: {shown(value)} is none of {', '.join(words)}.")
        return word

    return Kind(" or ".join(words), read)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{name}: {shown(value)} is not text.")
    if one_line(value) != value:
        raise UsageError(f"{name}: {shown(value)} holds control characters or bytes that are no text.")
    return value.strip()


def _url(value: object, name: str) -> str:
    if not isinstance(value, str) or one_line(value) != value:
        raise UsageError(f"{name}: it is not text, or holds control characters or bytes that are no text.")
    return value.strip()


def _count(value: object, name: str) -> int:
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal() and len(value) <= 20:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UsageError(f"{name}: {shown(value)} is not a whole number.")
    return value


def _duration(value: object, name: str) -> int:
    return to_us(cast("str | float", value), name=name)


def _size(value: object, name: str) -> int:
    return to_bytes(cast("int | str", value), name=name)


def _worker(value: object, _name: str) -> str:
    return worker_name(value.strip() if isinstance(value, str) else cast("str", value))


def _queues(value: object, name: str) -> dict[str, int]:
    """`{"email": 5}`, `["email", "default"]` or "email=5,default"; without a number the share is 1."""
    pairs = value.split(",") if isinstance(value, str) else value
    if isinstance(pairs, Mapping):
        pairs = cast("Mapping[object, object]", pairs).items()
    if not isinstance(pairs, Iterable):
        raise UsageError(f"{name}: {shown(value)} names no queues. Queues are written email=5,default.")
    return dict(_share(pair, name) for pair in cast("Iterable[object]", pairs))


def _share(pair: object, name: str) -> tuple[str, int]:
    if isinstance(pair, str):
        queue, _, weight = pair.strip().rpartition("=") if "=" in pair else (pair.strip(), "", "1")
    else:
        queue, weight = cast("tuple[str, object]", pair)
    share = _count(weight, f"{name}: share of {shown(queue)}")
    if not 1 <= share <= _MOST_SHARES:
        raise UsageError(f"{name}: share {share} of {shown(queue)} is not from 1 to {_MOST_SHARES}.")
    return (queue if queue == "*" else queue_name(queue)), share


def _limits(value: object, name: str) -> dict[str, Rule]:
    """`{"lead": {"concurrency": 5, "rate": "50/min"}}`, `{"lead": "5 50/min 2/worker"}`, or "lead=5 50/min,mail=10/s"."""
    if isinstance(value, str):
        parts = [part.strip().partition("=") for part in value.split(",")]
        value = {queue: rule for queue, _, rule in parts}
    if not isinstance(value, Mapping):
        raise UsageError(f"{name}: {shown(value)} is no limits. They are written lead=5 50/min,mail=10/s.")
    return {
        queue_name(str(queue)): _rule(rule, f"{name}.{queue}")
        for queue, rule in cast("Mapping[object, object]", value).items()
    }


def _rule(value: object, name: str) -> Rule:
    if isinstance(value, str):
        return parse_rule(value)
    given: dict[str, Any] = {**cast("Mapping[str, Any]", value)} if isinstance(value, Mapping) else {"": value}
    if not {*given} <= {"concurrency", "rate", "per_worker"}:
        raise UsageError(f"{name}: {shown(given)} is no limit. There are concurrency, rate and per_worker.")
    return rule_of(given.get("concurrency"), given.get("rate"), given.get("per_worker"))


def _shown_limits(limits: Mapping[str, Rule]) -> str:
    return ",".join(f"{queue}={say_rule(rule)}" for queue, rule in limits.items())


def _prices(value: object, name: str) -> dict[str, Price]:
    """`{"claude-3-haiku*": "0.25/1.25"}`, or "claude-3-haiku*=0.25/1.25,gpt-4o=2.5/10"."""
    if isinstance(value, str):
        parts = [part.strip().partition("=") for part in value.split(",")]
        value = {model: price for model, _, price in parts}
    if not isinstance(value, Mapping):
        raise UsageError(f"{name}: {shown(value)} is no prices. They are written claude-3-haiku*=0.25/1.25.")
    pairs = cast("Mapping[object, object]", value).items()
    return {_text(model, name): parse_price(_text(price, f"{name}.{model}")) for model, price in pairs}


def _shown_prices(prices: Mapping[str, Price]) -> str:
    return ",".join(f"{model}={price}" for model, price in prices.items())


def _offers(value: object, name: str) -> tuple[str, ...]:
    if isinstance(value, str):
        return parse(value)
    if isinstance(value, Mapping):
        return tuple(sorted(offers(cast("Mapping[str, str]", value))))
    if isinstance(value, Iterable):
        return parse(",".join(str(token) for token in cast("Iterable[object]", value)))
    raise UsageError(f"{name}: {shown(value)} is no set of offers. They are written gpu=a100,region=eu.")


def _networks(value: object, name: str) -> tuple[str, ...]:
    """ "10.1.0.0/16,fd00::/8", or a list of such."""
    if isinstance(value, str):
        value = [part for part in value.split(",") if part.strip()]
    if not isinstance(value, Iterable):
        raise UsageError(f"{name}: {shown(value)} names no networks. They are written 10.1.0.0/16,fd00::/8.")
    return parse_networks(str(text) for text in cast("Iterable[object]", value))


def _secret(value: object, name: str) -> str:
    """Never shown, not even by an error."""
    if not isinstance(value, str):
        raise UsageError(f"{name}: it is not text.")
    return checked_secret(value.strip()) if value.strip() else ""


def _hidden(secret: str) -> str:
    return HIDDEN if secret else ""


def _shown_queues(queues: Mapping[str, int]) -> str:
    return ",".join(f"{queue}={weight}" for queue, weight in queues.items())


def _shown_size(size: int) -> str:
    for power, unit in ((30, "G"), (20, "M"), (10, "K")):
        if size and size % 2**power == 0:
            return f"{size >> power}{unit}"
    return str(size)


URL = Kind("URL", _url, redact_url)
TEXT = Kind("text", _text)
WORKER = Kind("name", _worker)
COUNT = Kind("number", _count, quoted=False)
DURATION = Kind("duration", _duration, format_us, "_us")
SIZE = Kind("size", _size, _shown_size, "_bytes")
QUEUES = Kind("queue=share, …", _queues, _shown_queues)
LIMITS = Kind("queue=limit, …", _limits, _shown_limits)
PRICES = Kind("model=in/out, …", _prices, _shown_prices)
OFFERS = Kind("key=value, …", _offers, ",".join)
NETWORKS = Kind("network, …", _networks, ",".join)
SECRET = Kind("secret", _secret, _hidden)
