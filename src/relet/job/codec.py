"""How the arguments and the result of one task travel: as JSON, by the task's own type hints.

    codec = Codec.for_function(charge, skip_first=True)
    text = codec.encode_args((7,), {"customer_id": 3})      # '{"order_id":7,"customer_id":3}'
    args, kwargs = codec.decode_args(text)

Arguments are one JSON object with a member per parameter; `*args` is a list and `**kwargs` an object under their own
names. A parameter that is not given is left out, and takes its default where the job runs. Everything is decoded once
before it is sent, so that a wrong argument is refused where it is given, and a worker gets what was given. What may be
carried at all is said in `relet.job.payload`, and of the hints in `relet.job.hints`.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, NamedTuple, NoReturn, Union, get_args, get_origin

import msgspec
from msgspec import UNSET, Struct, UnsetType

from relet.errors import DefinitionError
from relet.job.hints import BARE, Care, HintError, bounded, care_of, drift, hints_of, is_union, revive
from relet.job.payload import MAX_BYTES, encode, encode_by_name, refuse, refuse_flawed

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_STAYS = "What is stored is kept as it is."


class Codec:
    """The prepared codec of one task. Immutable; safe to share between threads."""

    def __init__(self, task: str, signature: inspect.Signature, result: Any, max_bytes: int) -> None:
        self.task = task
        self.signature = signature
        """The parameters that a job carries, with their hints resolved."""
        self.max_bytes = max_bytes
        self._of_arguments = f"the arguments of task {task!r}"
        self._of_result = f"the result of task {task!r}"
        parameters = signature.parameters.values()
        self._cares = {p.name: _care(task, f"parameter {p.name!r}", p.annotation) for p in parameters}
        self._scalars = all(care is Care.PLAIN for care in self._cares.values())
        self._record = _record(task, signature)
        self._decoder = msgspec.json.Decoder(self._record, dec_hook=revive)
        self._plan = _Plan.of(signature)
        self._result_care = _care(task, "its result", result)
        self._result_decoder = msgspec.json.Decoder(_carried(result), dec_hook=revive)

    @classmethod
    def for_function(
        cls,
        function: Callable[..., Any],
        skip_first: bool = False,
        *,
        task: str | None = None,
        leave_out: Collection[str] = (),
        max_bytes: int = MAX_BYTES,
    ) -> Codec:
        """Prepare the codec of a task's function, once, when the task is defined.

        `skip_first` leaves out the first parameter, the Context. `leave_out` names parameters that the worker fills in.
        `max_bytes` bounds the arguments of a job, and its result, as JSON. Raises `DefinitionError` for hints that
        cannot be resolved or carried.
        """
        name = task or f"{function.__module__}.{getattr(function, '__qualname__', type(function).__qualname__)}"
        try:
            signature, result = hints_of(function)
        except HintError as flaw:
            raise DefinitionError(f"task {name!r}: {flaw}.") from None
        return cls(name, _carried_signature(signature, skip_first, leave_out), _result_hint(result), max_bytes)

    def encode_args(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
        """The arguments of a call as canonical JSON. Raises `PayloadError`, which names the task and the place."""
        sent = self._bind(args, kwargs)
        text = encode(sent, self._of_arguments, max_bytes=self.max_bytes, scalars=self._scalars)
        received = self._decode_sent(text, sent)
        if not (self._scalars and _same_classes(sent, received)):
            self._refuse_drift(sent, received)
        return text

    def encode_named(self, arguments: Mapping[str, Any]) -> str:
        """Arguments from outside by parameter name, such as those of a command line or an HTTP body, as canonical JSON.

        Here values may be in the form that they have in JSON: a UUID or a date as text, a dataclass as a dictionary.
        Raises `PayloadError`.
        """
        text = encode_by_name(arguments, task=self.task, max_bytes=self.max_bytes)
        return encode(self._decode_sent(text, None), self._of_arguments, max_bytes=self.max_bytes)

    def decode_args(self, text: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments to call the function with. Raises `PayloadError` if they do not fit it."""
        try:
            record = self._decoder.decode(text)
        except (msgspec.DecodeError, ValueError, RecursionError):
            record = self._decode_stored(text)  # raises it with its place and its reason
        return (msgspec.structs.astuple(record), {}) if self._plan.is_flat else self._plan.spread(record)

    def arguments(self, text: str) -> dict[str, Any]:
        """The decoded arguments that were given, by parameter name. Raises `PayloadError`."""
        return _given(self._decode_stored(text))

    def encode_result(self, value: Any) -> str:
        """What the function returned as canonical JSON. Without a hint it comes back as plain JSON values.

        Raises `PayloadError` for what JSON cannot carry, and for what does not fit the hint.
        """
        text = encode(value, self._of_result, max_bytes=self.max_bytes, scalars=self._result_care is Care.PLAIN)
        if self._result_care is not Care.JSON:
            self._decode(self._result_decoder, text, self._of_result, value)
        return text

    def decode_result(self, text: str) -> Any:
        """What the function returned, by the hint of its result. Raises `PayloadError`."""
        return self._decode(self._result_decoder, text, self._of_result, None, consequence=_STAYS)

    def _refuse_drift(self, sent: Struct, received: Struct) -> None:
        for name, care in self._cares.items():
            value = getattr(sent, name)
            found = None if value is UNSET else drift(value, getattr(received, name), name, care=care)
            if found:
                refuse(self._of_arguments, *found)

    def _bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Struct:
        try:
            if self._plan.is_direct:
                return self._record(*args, **kwargs)
            bound = self.signature.bind(*args, **kwargs).arguments
            if self._plan.var_positional in bound:
                bound[self._plan.var_positional] = list(bound[self._plan.var_positional])
            return self._record(**bound)
        except TypeError as error:
            refuse(self._of_arguments, "", _binding_flaw(self.signature, args, kwargs) or str(error))

    def _decode_sent(self, text: str, sent: Struct | None) -> Any:
        return self._decode(self._decoder, text, self._of_arguments, sent)

    def _decode_stored(self, text: str) -> Any:
        return self._decode(self._decoder, text, self._of_arguments, None, consequence=_STAYS)

    def _decode(self, decoder: Any, text: str, subject: str, sent: Any, **said: str) -> Any:
        try:
            return decoder.decode(text)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            refuse_flawed(sent, subject)  # a NaN, say, which is encoded as null: the better reason
            refuse(subject, *_place_and_flaw(error), **said)


class _Plan(NamedTuple):
    """How decoded arguments are handed to the function."""

    positional: tuple[inspect.Parameter, ...]
    keyword: tuple[str, ...]
    var_positional: str | None
    var_keyword: str | None
    is_direct: bool
    """The record takes a call's arguments as the function does."""
    is_flat: bool
    """Every parameter is positional and must be given."""

    @classmethod
    def of(cls, signature: inspect.Signature) -> _Plan:
        parameters = signature.parameters.values()
        kinds = {kind: [p.name for p in parameters if p.kind is kind] for kind in _KINDS}
        positional = tuple(p for p in parameters if p.kind in _POSITIONAL)
        unusual = kinds[inspect.Parameter.VAR_POSITIONAL] + kinds[inspect.Parameter.VAR_KEYWORD]
        return cls(
            positional=positional,
            keyword=tuple(kinds[inspect.Parameter.KEYWORD_ONLY]),
            var_positional=next(iter(kinds[inspect.Parameter.VAR_POSITIONAL]), None),
            var_keyword=next(iter(kinds[inspect.Parameter.VAR_KEYWORD]), None),
            is_direct=not unusual and not kinds[inspect.Parameter.POSITIONAL_ONLY],
            is_flat=len(positional) == len(parameters) and all(p.default is p.empty for p in positional),
        )

    def spread(self, record: Struct) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if self.is_flat:
            return msgspec.structs.astuple(record), {}
        given = _given(record)
        rest = given.pop(self.var_positional, ()) if self.var_positional else ()
        named: dict[str, Any] = given.pop(self.var_keyword, {}) if self.var_keyword else {}
        args = [given.pop(p.name, p.default) for p in self.positional[: self._by_position(given, bool(rest))]]
        return (*args, *rest), given | named

    def _by_position(self, given: Mapping[str, Any], has_rest: bool) -> int:
        """How many arguments go by position: all before `*args`, else those that must, and on to the first gap."""
        if has_rest:
            return len(self.positional)
        count = 0
        for n, parameter in enumerate(self.positional):
            is_given = parameter.name in given
            if is_given and (n == count or parameter.kind is parameter.POSITIONAL_ONLY):
                count = n + 1
        return count


_KINDS = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.KEYWORD_ONLY,
    inspect.Parameter.VAR_KEYWORD,
)


def _same_classes(one: Struct, other: Struct) -> bool:
    return [*map(type, msgspec.structs.astuple(one))] == [*map(type, msgspec.structs.astuple(other))]


def _given(record: Struct) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(record).items() if value is not UNSET}


def _carried_signature(signature: inspect.Signature, skip_first: bool, leave_out: Collection[str]) -> inspect.Signature:
    """What is left when Context and filled-in parameters are gone. What follows a gap can only be given by name."""
    carried: list[inspect.Parameter] = []
    gap = False
    for parameter in list(signature.parameters.values())[1 if skip_first else 0 :]:
        if parameter.name in leave_out:
            gap = gap or parameter.kind in _POSITIONAL
        elif gap and parameter.kind in _POSITIONAL:
            carried.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
        else:
            carried.append(parameter)
    carried.sort(key=lambda p: p.kind)
    return signature.replace(parameters=carried, return_annotation=signature.empty)


def _result_hint(hint: Any) -> Any:
    """The hint of what is stored: without the verdicts that a task may return, and of what is awaited, the result."""
    if inspect.isclass(get_origin(hint)) and issubclass(get_origin(hint), Awaitable):
        hint = get_args(hint)[-1]
    if hint is NoReturn or getattr(hint, "__name__", "") == "Never":
        return Any
    parts = get_args(hint) if is_union(hint) else (hint,)
    stored = tuple(part for part in parts if not (inspect.isclass(part) and issubclass(part, BaseException)))
    return hint if stored == parts else Union[stored or (None,)]  # noqa: UP007  made at run time


def _care(task: str, place: str, hint: Any) -> Care:
    try:
        return care_of(bounded(hint))
    except HintError as flaw:
        raise DefinitionError(f"task {task!r}, {place}: {flaw}.") from None


def _record(task: str, signature: inspect.Signature) -> type[Struct]:
    """A struct with a field per parameter, which binds, encodes and decodes a call's arguments at the speed of C."""
    parameters = signature.parameters.values()
    try:
        positional = msgspec.defstruct(
            "Arguments", [_field(p) for p in parameters if p.kind in _POSITIONAL], forbid_unknown_fields=True
        )
        return msgspec.defstruct(
            "Arguments",
            [_field(p) for p in parameters if p.kind not in _POSITIONAL],
            bases=(positional,),
            kw_only=True,
            forbid_unknown_fields=True,
        )
    except (TypeError, ValueError, RuntimeError) as error:
        advice = "rename parameters that begin with two underscores"
        raise DefinitionError(f"task {task!r}: its parameters cannot be carried ({error}); {advice}.") from None


def _field(parameter: inspect.Parameter) -> tuple[str, Any] | tuple[str, Any, Any]:
    hint = _carried(parameter.annotation)
    if parameter.kind is parameter.VAR_POSITIONAL:
        return parameter.name, Union[list[hint], UnsetType], UNSET  # noqa: UP007  made at run time
    if parameter.kind is parameter.VAR_KEYWORD:
        return parameter.name, Union[dict[str, hint], UnsetType], UNSET  # noqa: UP007  made at run time
    if parameter.default is parameter.empty:
        return parameter.name, hint
    return parameter.name, Union[hint, UnsetType], UNSET  # noqa: UP007  made at run time


def _carried(hint: Any) -> Any:
    return Any if any(hint is bare for bare in BARE) else bounded(hint)


def _binding_flaw(signature: inspect.Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Python's own sentence about a call that does not fit."""
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        return str(error)
    return ""


def _place_and_flaw(error: BaseException) -> tuple[str, str]:
    """msgspec's "Expected `int`, got `str` - at `$.order.id`" as ("order.id", "expected int, got str")."""
    if isinstance(error, RecursionError):
        return "", "it is nested too deep"
    flaw, _, place = str(error).rpartition(" - at `$") if " - at `$" in str(error) else (str(error), "", "")
    flaw = flaw.replace("`", "").rstrip(".")
    if not place:
        flaw = flaw.replace("Object missing required field", "missing the argument").replace(
            "Object contains unknown field", "the task has no parameter"
        )
    return place.rstrip("`").removeprefix("."), flaw[:1].lower() + flaw[1:]
