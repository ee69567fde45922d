"""What a job needs from its worker, and what a worker offers, both as sets of "key=value" tokens.

A job runs only where every one of its tokens is offered. Values are text, integers or booleans, and all become one
canonical text, so that 1 and "1" are the same, and True and "true".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from relet.errors import UsageError
from relet.job.names import label_name
from relet.job.textsafe import shown

Scalar = str | int | bool


def tokens(needs: Mapping[str, Scalar]) -> tuple[str, ...]:
    """The sorted tokens of what a job needs: `{"gpu": "a100"}` is `("gpu=a100",)`. Raises `UsageError`."""
    return tuple(sorted(_token(key, value) for key, value in needs.items()))


def offers(capabilities: Mapping[str, Scalar | Iterable[Scalar]]) -> frozenset[str]:
    """The tokens that a worker offers. A key may have several values: `{"gpu": ["a100", "t4"]}`. Raises UsageError."""
    return frozenset(_token(key, value) for key, values in capabilities.items() for value in _several(values))


def parse(text: str) -> tuple[str, ...]:
    """The sorted tokens of the form on a command line: "gpu=a100,region=eu,spot".

    A key alone means `key=true`; a key may come more than once. Raises `UsageError` for what is not of this form.
    """
    parts = [part.strip() for part in text.split(",")]
    pairs = [part.partition("=") for part in parts if part]
    return tuple(sorted({_token(key.strip(), value.strip() if equals else True) for key, equals, value in pairs}))


def satisfied(needs: Iterable[str], offers: AbstractSet[str]) -> bool:
    """Whether every needed token is offered."""
    return all(need in offers for need in needs)


def _several(values: Scalar | Iterable[Scalar]) -> Iterable[Scalar]:
    return (values,) if isinstance(values, str | int) else values


def _token(key: str, value: Scalar) -> str:
    return f"{_word(key, key)}={_word(_canonical(key, value), key)}"


def _word(text: str, key: str) -> str:
    """A part of a token. "," and "=" would make two different sets of tokens read alike."""
    if "," in label_name(text) or "=" in text:
        raise UsageError(f"capability {shown(key)}: {shown(text)} holds ',' or '=', which separate capabilities.")
    return text


def _canonical(key: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value)) if -(2**63) <= value < 2**63 else shown(value)
    if isinstance(value, str):
        return value
    raise UsageError(
        f"capability {shown(key)}: its value is a {type(value).__name__}; give text, an integer or a boolean."
    )
