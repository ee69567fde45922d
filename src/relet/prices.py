"""`app.prices`: what models cost, by an own table first, then by the price list of genai-prices if that is installed.

app.prices["claude-3-haiku*"] = Price("0.25", "1.25")        # per million tokens, in USD
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import cache
from types import ModuleType
from typing import Any

from relet.errors import UsageError
from relet.job.moment import from_at
from relet.job.prices import Price, Priced, Tokens, find_price
from relet.job.textsafe import shown


class Prices(MutableMapping[str, Price]):
    """The own table: what code says, and what settings say of models that code does not name. A name that ends in `*` stands
    for all that begin so."""

    def __init__(self) -> None:
        self._of_code: dict[str, Price] = {}
        self.of_settings: Callable[[], Mapping[str, Price]] = dict
        """Read when somebody asks for a price."""

    def price(self, model: str, provider: str, tokens: Tokens, now: int) -> Priced | None:
        """What these tokens of a model cost; None: nobody has a price for it."""
        own = find_price(self._of_code, model) or find_price(self.of_settings(), model)
        return own.of(tokens) if own is not None else listed(model, provider, tokens, now)

    def __getitem__(self, model: str) -> Price:
        return self._of_code[model] if model in self._of_code else self.of_settings()[model]

    def __setitem__(self, model: str, price: Price) -> None:
        if not isinstance(price, Price):  # pyright: ignore[reportUnnecessaryIsInstance]  callers without a type checker
            raise UsageError(f"app.prices[{shown(model)}]: {shown(price)} is no Price.")
        self._of_code[model] = price

    def __delitem__(self, model: str) -> None:
        del self._of_code[model]

    def __iter__(self) -> Iterator[str]:
        return iter({**self.of_settings(), **self._of_code})

    def __len__(self) -> int:
        return len({**self.of_settings(), **self._of_code})


@cache
def _library() -> ModuleType | None:
    """The price list, which takes a while to read: once, and only where it is asked for."""
    try:
        import genai_prices
    except ImportError:
        return None
    return genai_prices


def listed(model: str, provider: str, tokens: Tokens, now: int) -> Priced | None:
    """The price by the list; None: it does not know the model, or is not installed."""
    library = _library()
    if library is None:
        return None
    try:
        usage = library.Usage(
            input_tokens=tokens.input,
            output_tokens=tokens.output,
            cache_read_tokens=tokens.cache_read or None,
            cache_write_tokens=tokens.cache_write or None,
        )
        found = library.calc_price(
            usage, model_ref=model, provider_id=provider or None, genai_request_timestamp=from_at(now)
        )
    except Exception:  # noqa: BLE001  a list that cannot say must not end the run that asked
        return None
    return Priced(found.total_price, "USD", _said(library, found))


def _said(library: ModuleType, found: Any) -> dict[str, str]:
    rates = {
        name: str(getattr(found.model_price, f"{name}_mtok"))
        for name in ("input", "output", "cache_read", "cache_write")
        if getattr(found.model_price, f"{name}_mtok", None) is not None
    }
    return {**rates, "listed_as": f"{found.provider.id}/{found.model.id}", "by": f"genai-prices {library.__version__}"}
