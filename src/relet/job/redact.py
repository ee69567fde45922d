"""Secrets kept from the eyes of people: in pages, logs, command output and exports.

Data that runs is never changed; this is for what is shown. Redaction would rather hide too much than too little, never
raises, and changes nothing when it is repeated. It goes by names (`password=…`, `{"api_key": …}`), by the user part
of URLs, and by the look of well-known tokens. A secret that has none of these is not found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from relet.job.textsafe import storable

HIDDEN = "[redacted]"
_MASK = "***"

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_]+")
_ANYWHERE = frozenset(
    ("password", "passwd", "passphrase", "passcode", "pwd", "secret", "token", "apikey", "privatekey", "accesskey")
) | {"authorization", "cookie", "credential", "dsn"}
"""Words that make a name secret wherever they stand in it: user_password, XSecretId."""
_AT_THE_END = frozenset(("pass", "pw", "auth", "pin", "otp", "jwt", "cvv", "cvc", "ssn", "bearer"))
"""Words that do so as the last one only: smtp_pass, but not pass_count."""
_ENDINGS = ("password", "passwd", "secret", "apikey", "token")
"""Ends of words that are written together: dbpassword, clientsecret."""
_PHRASES = (
    ("api", "key"),
    ("private", "key"),
    ("access", "key"),
    ("signing", "key"),
    ("encryption", "key"),
    ("session", "id"),
)
_WHOLE_LINE = frozenset(("authorization", "cookie"))
"""Headers whose value has spaces in it."""

_NAME = re.compile(
    r"""(?<![\w.-])(-{0,2}[A-Za-z_][\w.-]{0,99})\\*["']?"""
    r"""(?:\s{0,8}[:=>]{1,2}\s{0,8}|(?<=["'])\s{0,8},\s{0,8}(?=\\*["']))"""
)
"""A name and what parts it from its value: `name=`, `"name": `, `\\"name\\": `, `<name>`, `'name', `."""
_OPTION = re.compile(r"(?<![\w-])(--[A-Za-z][\w-]{0,99})\s{1,8}(?=[^\s-])")
_QUOTED = re.compile(r"""(\\*["'])(?:(?!\1)(?:\\.|.))*(\1|\Z)""", re.DOTALL)
_BARE = re.compile(r"""(?:[^\s,;&"'<]|<(?!/)|"[^"\n]*"|'[^'\n]*'|["']\S*|[,;&](?!\s|$|[\w.-]{1,100}\s?[:=]))+""")
"""Up to a space, to `&name=` or `, name:` of the next pair, or to a closing tag."""
_COUNT = re.compile(r"[0-9][0-9_]{0,12}\b")
_LINE = re.compile(r"[^\r\n]+")
_BRACKET = re.compile(r"[\[\](){}]")
_KEY_BLOCK = re.compile(
    r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----).*?(-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
)
_BEARER = re.compile(r"\b(bearer)(\s{1,8})[A-Za-z0-9._~+/=-]{4,}", re.IGNORECASE)
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"gh[oprsu]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|sk-[\w-]{16,}|[rs]k_(?:live|test)_\w{10,}|"
    r"whsec_[\w+/=-]{16,}|relet_[\w-]{40,}|xox[a-z]-[\w-]{10,}|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}|eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*)"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://")
_AUTHORITY = re.compile(r"""[^\s"'<>/?#]*""")
_RUN = re.compile(r"""[^\s"'<>]*""")
_WHOLE_AUTHORITY = re.compile(r"[^/?#]*")
_WHOLE_RUN = re.compile(r".*", re.DOTALL)
_ARRAYS: tuple[type[Any], ...] = (list, tuple, set, frozenset)
_DEEPEST = 100


class Redactor:
    """Hides what looks secret, and what has one of `extra_names`. Immutable; safe to share between threads.

    A name is split into its words, in whichever case it is written, and compared word by word: "api_key" hides
    `X-API-Key`, `apiKeys` and `my_api_key`; "token" hides `accessToken` and not `tokenizer`. Numbers called tokens
    (`input_tokens`) and booleans are shown.
    """

    def __init__(self, extra_names: Iterable[str] = ()) -> None:
        self._phrases = (*_PHRASES, *(phrase for name in extra_names if (phrase := tuple(_words(name)))))
        stems = {*_ANYWHERE, *_AT_THE_END, *(phrase[0] for phrase in self._phrases)}
        self._maybe = re.compile("|".join(map(re.escape, sorted(stems))))

    def hides(self, name: str) -> bool:
        """Whether what is called this is hidden."""
        if not self._maybe.search(name.lower()):
            return False
        words = _words(name)
        if words[-1] in _AT_THE_END or any(word in _ANYWHERE or word.endswith(_ENDINGS) for word in words):
            return True
        return any(_contains(words, phrase) for phrase in self._phrases)

    def value(self, value: object) -> object:
        """A copy of a Python value for display: what JSON does not know becomes text."""
        try:
            return self._value(value, _DEEPEST)
        except Exception:  # noqa: BLE001  a foreign __str__ or __iter__ may raise anything; then all is hidden
            return HIDDEN

    def json(self, text: str) -> str:
        """JSON text for display; text that is no JSON is treated as `text` does."""
        try:
            value = json.loads(text)
            shown = self._value(value, _DEEPEST)
            return text if shown == value else storable(json.dumps(shown, ensure_ascii=False, separators=(",", ":")))
        except (ValueError, RecursionError):
            return self.text(text)

    def text(self, text: str) -> str:
        """Free text for display, such as the message of an error or a stack."""
        try:
            return self._text(text)
        except Exception:  # noqa: BLE001  never show what could not be looked through
            return HIDDEN

    def _value(self, value: Any, levels: int) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return self._text(value)
        if levels == 0:
            return HIDDEN
        if isinstance(value, Mapping):
            members = cast("Mapping[object, object]", value)
            return {key: self._member(key, member, levels - 1) for key, member in members.items()}
        for kind in _ARRAYS:
            if isinstance(value, kind):
                return kind(self._items(list(cast("Iterable[object]", value)), levels - 1))
        return self._text(str(value))

    def _member(self, key: object, member: object, levels: int) -> object:
        if not isinstance(key, str) or not self.hides(key):
            return self._value(member, levels)
        is_count = isinstance(member, int | float) and _counts(key)
        return member if member is None or isinstance(member, bool) or is_count else HIDDEN

    def _items(self, items: list[object], levels: int) -> list[object]:
        """Items of a list; in a pair such as ("Authorization", "Basic …") the first is the name of the second."""
        if len(items) == 2 and isinstance(items[0], str) and isinstance(items[1], str):
            return [items[0], self._member(items[0], items[1], levels)]
        return [self._value(item, levels) for item in items]

    def _text(self, text: str) -> str:
        text = _KEY_BLOCK.sub(rf"\1{HIDDEN}\2", text)
        text = _mask_passwords(text)
        text = _TOKEN.sub(HIDDEN, text)
        text = self._after_names(_OPTION, text)
        text = self._after_names(_NAME, text)
        return _BEARER.sub(rf"\1\2{HIDDEN}", text)

    def _after_names(self, names: re.Pattern[str], text: str) -> str:
        """`text` with the values behind secret names hidden."""
        parts: list[str] = []
        done = 0
        for match in names.finditer(text):
            start = match.end()
            if match.start() < done or not self.hides(match[1]):
                continue
            if _counts(match[1]) and _COUNT.match(text, start):
                continue
            end, shown = _hidden_value(text, start, bool(_WHOLE_LINE.intersection(_words(match[1]))))
            if end > start:
                parts += (text[done:start], shown)
                done = end
        return "".join((*parts, text[done:]))


def redact_url(url: str) -> str:
    """The URL of a store, or of anything, for display: without its password, be it in the user part or a parameter."""
    return Redactor().text(_mask_passwords(url, _WHOLE_AUTHORITY, _WHOLE_RUN))


def _words(name: str) -> list[str]:
    """The words of a name, in lower case, in the singular: "X-API-Keys" is x, api, key."""
    return [word[:-1] if word.endswith("s") and not word.endswith("ss") else word for word in _bare_words(name)]


def _bare_words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _counts(name: str) -> bool:
    """Whether a number of this name tells how many: input_tokens."""
    return "tokens" in _bare_words(name)


def _contains(words: list[str], phrase: tuple[str, ...]) -> bool:
    return any(tuple(words[n : n + len(phrase)]) == phrase for n in range(len(words) - len(phrase) + 1))


def _hidden_value(text: str, start: int, whole_line: bool) -> tuple[int, str]:
    """Where the value at `start` ends, and what is shown for it."""
    quoted = _QUOTED.match(text, start)
    if quoted:
        return quoted.end(), f"{quoted[1]}{HIDDEN}{quoted[2]}"
    if whole_line:
        line = _LINE.match(text, start)
        return (line.end(), HIDDEN) if line else (start, "")
    if text.startswith(HIDDEN, start):
        return start + len(HIDDEN), HIDDEN
    if text[start : start + 1] in ("[", "{", "("):
        return _end_of_brackets(text, start), HIDDEN
    bare = _BARE.match(text, start)
    return (bare.end(), HIDDEN) if bare else (start, "")


def _end_of_brackets(text: str, start: int) -> int:
    """The end of a bracket that opens at `start`; the end of the text if it stays open."""
    depth = 0
    for bracket in _BRACKET.finditer(text, start):
        depth += 1 if bracket[0] in "[({" else -1
        if depth == 0:
            return bracket.end()
    return len(text)


def _mask_passwords(text: str, authority: re.Pattern[str] = _AUTHORITY, run: re.Pattern[str] = _RUN) -> str:
    """`text` with the passwords of URLs masked.

    The user part of a URL ends at the last "@" of its host part, or of the whole URL if the password holds a "/", "?"
    or "#" that should have been escaped.
    """
    parts: list[str] = []
    done = looked = 0
    for match in _SCHEME.finditer(text):
        start = match.end()
        if start < looked:
            continue
        host = _matched(authority, text, start)
        searched = host if "@" in host or ":" not in host else _matched(run, text, start)
        userinfo, at, _ = searched.rpartition("@")
        user, colon, _ = userinfo.partition(":")
        looked = start + len(userinfo if at else searched)
        if colon:
            parts += (text[done:start], user, colon, _MASK)
            done = looked
    return "".join((*parts, text[done:]))


def _matched(pattern: re.Pattern[str], text: str, start: int) -> str:
    match = pattern.match(text, start)
    return match[0] if match else ""
