"""What the runner needs of a task. Nothing else of the app is known below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from relet.options import TaskSpec


class Codec(Protocol):
    """How a task's arguments and result travel."""

    def decode_args(self, text: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What to call the function with. Raises PayloadError."""
        ...

    def encode_result(self, value: Any) -> str:
        """What it returned, as JSON. Raises PayloadError."""
        ...


class Runnable(Protocol):
    """A task: a function with a name, a policy and a codec."""

    @property
    def name(self) -> str: ...
    @property
    def fn(self) -> Callable[..., Any]: ...
    @property
    def spec(self) -> TaskSpec: ...
    @property
    def codec(self) -> Codec: ...
    @property
    def takes_context(self) -> bool: ...
    @property
    def is_async(self) -> bool: ...


Registry = Mapping[str, Runnable]
