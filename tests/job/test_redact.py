"""Secrets are hidden from people: by their names, in URLs, by their look; twice is as once; nothing raises."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.job.redact import HIDDEN, Redactor, redact_url

SECRET = "hunter2"
REDACTOR = Redactor()

SECRET_NAMES: list[str] = re.findall(
    r"\S+",
    """password Passwd user_password dbpassword PASSWORD userPassword password1 secret client_secret
    clientsecret token access_token accessToken authtoken X-Api-Key api_key apiKeys APIKey apikey authorization
    Proxy-Authorization cookie Set-Cookie cookies credential credentials private_key privateKey sslpassword dsn
    sentry_dsn signing-key session_id smtp_pass pwd passphrase auth x-auth otp pin aws.secret.access.key""",
)
PLAIN_NAMES: list[str] = re.findall(
    r"\S+",
    """order_id passenger compass passing tokenizer tokenize author authorised keyboard key monkey secretary
    pass_count pinned spin description email name id cook session credit bypassed""",
)


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_secret_name_hides_its_value(name: str) -> None:
    assert REDACTOR.hides(name)
    assert REDACTOR.value({name: SECRET}) == {name: HIDDEN}
    for text in (
        f"{name}={SECRET}",
        f"{name}: {SECRET}",
        f"'{name}': '{SECRET} x'",
        f'{{"{name}": "{SECRET} \\" x", "n": 1}}',
        f'{{\\"{name}\\": \\"{SECRET} x\\"}}',
        f'"{name}": "{SECRET} is cut off',
        f"call({name}='{SECRET}', n=1)",
        f"{name} => {SECRET}",
        f"<{name}>{SECRET}</{name}>",
        f"?a=b&{name}={SECRET}&c=d",
        f"[('{name}', '{SECRET}')]",
        f"{name}=SecretStr('{SECRET} x')",
        f"{name}: {{'a': ['{SECRET}', ({SECRET})]}}",
    ):
        assert SECRET not in REDACTOR.text(text), text


@pytest.mark.parametrize("name", PLAIN_NAMES)
def test_a_plain_name_hides_nothing(name: str) -> None:
    assert not REDACTOR.hides(name)
    for text in (f"{name}={SECRET}", f"'{name}': '{SECRET}'", json.dumps({name: SECRET})):
        assert REDACTOR.text(text) == text
        assert REDACTOR.json(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password=hunter2 host=db", "password=[redacted] host=db"),
        ("a=1&password=hunter2&b=2", "a=1&password=[redacted]&b=2"),
        ("password=hunt,er2 host=db", "password=[redacted] host=db"),
        ('{"password": "a b", "x": 1}', '{"password": "[redacted]", "x": 1}'),
        ("message='login failed: password=hunter2 for ann'", "message='login failed: password=[redacted] for ann'"),
        ("run --api-key hunter2 --verbose", "run --api-key [redacted] --verbose"),
        ("Authorization: Basic dXNlcjpwdw==\nHost: x", "Authorization: [redacted]\nHost: x"),
        ("Cookie: a=b; c=d\r\nHost: x", "Cookie: [redacted]\r\nHost: x"),
        ("sent bearer abc.def-123 to x", "sent bearer [redacted] to x"),
        ("key AKIAABCDEFGHIJKLMNOP used", "key [redacted] used"),
        ("jwt eyJhbGciOi.eyJzdWIiOi.c2lnbmF0 used", "jwt [redacted] used"),
        ("ghp_abcdefghijklmnopqrstuvwxyz012345", "[redacted]"),
        ("input_tokens=500, tokens: 12", "input_tokens=500, tokens: 12"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----[redacted]-----END RSA PRIVATE KEY-----",
        ),
        ("-----BEGIN PRIVATE KEY-----\nMIIE and cut", "-----BEGIN PRIVATE KEY-----[redacted]"),
        ("could not connect to redis://:hunter2@h:6379/0.", "could not connect to redis://:***@h:6379/0."),
        ("nothing to hide: 3 of 4 jobs failed", "nothing to hide: 3 of 4 jobs failed"),
    ],
)
def test_only_the_secret_is_hidden(text: str, shown: str) -> None:
    assert REDACTOR.text(text) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann:hunter2@a,b:5433/db", "postgresql://ann:***@a,b:5433/db"),
        (
            "postgresql://ann@h/db?password=hunter2&sslmode=require",
            "postgresql://ann@h/db?password=[redacted]&sslmode=require",
        ),
        ("postgresql://h/db?sslpassword=hunter2", "postgresql://h/db?sslpassword=[redacted]"),
        ("postgresql://ann:hun@ter2@h/db", "postgresql://ann:***@h/db"),
        ("postgresql://ann:hun/te#r2@h/db", "postgresql://ann:***@h/db"),
        ("postgresql://ann:hunter 2'@h/db", "postgresql://ann:***@h/db"),
        ("a://u:hunter2@x,http://v:hunter2@y", "a://u:***@x,http://v:***@y"),
        ("host=h password='hunter 2' dbname=db", "host=h password='[redacted]' dbname=db"),
        ("sqlite:////srv/me@host:1/jobs.db", "sqlite:////srv/me@host:1/jobs.db"),
        ("rqlite://n1:4001,n2:4001", "rqlite://n1:4001,n2:4001"),
        ("postgresql://h/db", "postgresql://h/db"),
        ("", ""),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert redact_url(url) == shown
    assert redact_url(shown) == shown


def test_values_are_hidden_wherever_they_stand() -> None:
    shown = REDACTOR.value(
        {
            "password": 1234,
            "nested": [{"api_key": [SECRET], "ok": 1.5}, ("Authorization", f"Basic {SECRET}")],
            "has_password": True,
            "token": None,
            "input_tokens": 500,
            "tokens": [SECRET],
            "note": f"password={SECRET}",
            "url": f"https://u:{SECRET}@h",
            b"x": {1, 2},
        }
    )
    assert shown == {
        "password": HIDDEN,
        "nested": [{"api_key": HIDDEN, "ok": 1.5}, ("Authorization", HIDDEN)],
        "has_password": True,
        "token": None,
        "input_tokens": 500,
        "tokens": HIDDEN,
        "note": f"password={HIDDEN}",
        "url": "https://u:***@h",
        b"x": {1, 2},
    }


def test_the_value_itself_is_not_changed() -> None:
    value = {"a": [{"password": SECRET}]}
    REDACTOR.value(value)
    assert value == {"a": [{"password": SECRET}]}


def test_json_text_stays_json_and_clean_text_stays_as_it_is() -> None:
    assert REDACTOR.json('{"a": {"api_key": "x", "n": 1}}') == '{"a":{"api_key":"[redacted]","n":1}}'
    assert REDACTOR.json('{"a" : 1.50}') == '{"a" : 1.50}'
    assert REDACTOR.json('"password=hunter2"') == '"password=[redacted]"'
    assert REDACTOR.json("password=hunter2, no JSON") == "password=[redacted], no JSON"


def test_extra_names_are_hidden_in_every_spelling() -> None:
    redactor = Redactor(["iban", "Tax Number"])
    for name in ("iban", "IBAN", "customer_iban", "ibans", "tax_number", "taxNumber", "x-tax-number"):
        assert redactor.hides(name), name
    for name in ("tax", "number", "ibanez"):
        assert not redactor.hides(name), name
    assert redactor.text("iban=DE89 tax_number: 7") == f"iban={HIDDEN} tax_number: {HIDDEN}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["password", "a", "x_token", "tokens"]), inner)
    ),
    max_leaves=12,
)
PIECES = [
    "password",
    "token",
    "a",
    "=",
    ": ",
    '"',
    "'",
    "\\",
    "[",
    "]",
    "{",
    "}",
    "(",
    ",",
    ";",
    "&",
    " ",
    "\n",
    "://",
    "@",
]
WORDS = ["u:p@h", "Bearer abcdef", "Authorization", "--api-key", HIDDEN, "***", "<", ">", "</", "x", "http"]
FRAGMENTS = st.lists(st.sampled_from(PIECES + WORDS), max_size=14).map("".join)


@given(JSON)
def test_redacting_a_value_twice_is_as_once(value: Any) -> None:
    once = REDACTOR.value(value)
    assert REDACTOR.value(once) == once


@given(JSON)
def test_redacting_json_twice_is_as_once(value: Any) -> None:
    once = REDACTOR.json(json.dumps(value))
    assert REDACTOR.json(once) == once
    json.loads(once)


@given(FRAGMENTS | st.text())
def test_redacting_text_twice_is_as_once(text: str) -> None:
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once
    assert redact_url(redact_url(text)) == redact_url(text)


class Hostile(Mapping[str, str]):
    def __getitem__(self, key: str) -> str:
        raise SystemError

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError

    def __len__(self) -> int:
        return 1

    def __str__(self) -> str:
        raise ValueError


def test_what_cannot_be_looked_through_is_hidden_whole() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert REDACTOR.value(Hostile()) == HIDDEN
    assert HIDDEN in str(REDACTOR.value(endless))
    assert REDACTOR.json("[" * 100_000 + "]" * 100_000) == "[" * 100_000 + "]" * 100_000
    assert REDACTOR.text("a://u:p@" * 50_000).count("u:p@") == 0


@pytest.mark.parametrize(
    "piece", ["password=", "a://b:", 'token:"', "x" * 50, "://", "--api-key ", "token: [", "\\", "' ", "bearer "]
)
def test_long_text_is_looked_through_in_time_that_grows_with_it(piece: str) -> None:
    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        start = time.process_time()
        REDACTOR.text(text)
        return time.process_time() - start  # of this process alone: other load does not count

    # Twenty times the text takes about twenty times as long; four hundred times if each place looked at the rest.
    assert min(seconds(400_000) for _ in range(2)) < 100 * min(seconds(20_000) for _ in range(3)) + 0.05
