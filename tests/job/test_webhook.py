"""Webhooks: addresses, signatures and bodies."""

import json
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from standardwebhooks import Webhook as Verifier

from relet.clock import HOUR
from relet.errors import UsageError
from relet.job.address import may_be_reached, parse_networks
from relet.job.webhook import (
    BODY_BYTES,
    Happened,
    Secret,
    body_of,
    checked_events,
    checked_secret,
    checked_url,
    headers,
    live_secrets,
    rotated,
    secret_of,
    signature,
)

raws = st.binary(min_size=24, max_size=64)


@given(raw=raws, body=st.text(max_size=200))
def test_an_independent_library_accepts_what_was_signed(raw: bytes, body: str) -> None:
    now = int(datetime.now(UTC).timestamp() * 1e6)
    text = json.dumps({"type": body})
    sent = headers((Secret(secret_of(raw)),), bytes(16), now, text.encode(), "standard")
    assert Verifier(secret_of(raw)).verify(text, sent) == {"type": body}


def test_the_vector_of_the_specification() -> None:
    """From the specification's own reference tests."""
    secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at_s = 1614265330
    signed = signature((secret,), "msg_p5jXN8AQM9LWM0D4loKWxJek", at_s, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_AAAA", "whsec_" + "!" * 32, "whsec_" + "A" * 100])
def test_a_secret_that_is_too_short_or_none_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        checked_secret(text)
    assert not text.removeprefix("whsec_") or text not in str(refused.value)


def test_a_former_secret_ends_and_no_rotation_makes_it_last_longer() -> None:
    one, two, three = (secret_of(bytes([n]) * 24) for n in range(3))
    first = rotated((Secret(one),), two, 0, HOUR)
    second = rotated(first, three, HOUR // 2, 10 * HOUR)
    assert second == (Secret(three), Secret(two, HOUR // 2 + 10 * HOUR), Secret(one, HOUR))
    assert live_secrets(second, HOUR) == (Secret(three), Secret(two, HOUR // 2 + 10 * HOUR))
    assert rotated(second, one, 2 * HOUR, 0) == (Secret(one),)


REFUSED = [
    *("file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "//example.com/", "example.com", "https://"),
    *(
        "https://ann@example.com/",
        "https://ann:pw@example.com/",
        "https://example.com\\@inside/",
        "https://example.com/#a",
    ),
    *("http://example.com:25/", "http://example.com:22/", "http://example.com:6379/", "http://example.com:0/"),
    *(
        "http://example.com:99999/",
        "http://[::1/",
        "http://example.com/\r\nx: y",
        "http://example.com/ a",
        "http://exämple.com",
    ),
    "http://example.com/" + "a" * 3000,
]


@pytest.mark.parametrize("url", REFUSED)
def test_an_address_that_is_none_or_carries_something_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        checked_url(url)


@given(st.text(max_size=50))
@example("\x00")
def test_whatever_passes_has_no_control_characters_and_no_user(text: str) -> None:
    try:
        url = checked_url(f"https://example.com/{text}")
    except UsageError:
        return
    assert url.isprintable()
    assert "@" not in url.split("/")[2]


INSIDE = [
    *(
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "255.255.255.255",
    ),
    *(
        "224.0.0.1",
        "240.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
    ),
    *(
        "ff02::1",
        "fec0::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
    ),
    *(
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:db8::1",
        "not an address",
        "127.1",
        "",
    ),
]


@pytest.mark.parametrize("text", INSIDE)
def test_addresses_that_are_not_public_are_not_reached(text: str) -> None:
    assert not may_be_reached(text)


@pytest.mark.parametrize("text", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_public_addresses_are(text: str) -> None:
    assert may_be_reached(text)


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_an_address_within_another_is_no_way_around(inner: IPv4Address) -> None:
    carried = (f"::ffff:{inner}", str(IPv6Address((0x2002 << 112) | (int(inner) << 80))), f"64:ff9b::{inner}")
    if not may_be_reached(str(inner)):
        assert not any(may_be_reached(text) for text in carried)


@given(st.ip_addresses())
def test_what_is_reached_is_public_by_the_standard_library_too(address: IPv4Address | IPv6Address) -> None:
    if may_be_reached(str(address)):
        flaws = (address.is_private, address.is_loopback, address.is_link_local, address.is_multicast)
        assert not any(flaws)


def test_a_network_of_ones_own_can_be_allowed() -> None:
    allowed = parse_networks(["10.1.0.0/16", " ::1 "])
    assert allowed == ("10.1.0.0/16", "::1/128")
    assert may_be_reached("10.1.2.3", allowed)
    assert may_be_reached("::ffff:10.1.2.3", allowed)
    assert may_be_reached("::1", allowed)
    assert not may_be_reached("10.2.0.1", allowed)
    with pytest.raises(UsageError):
        parse_networks(["10.1.2.3/16"])


def test_events_are_checked_and_the_star_is_all() -> None:
    assert checked_events(["job.dead", "job.dead", "*"]) == ("*",)
    assert checked_events("job.dead") == ("job.dead",)
    for wrong in ([], ["job.deed"], ["webhook.test"]):
        with pytest.raises(UsageError):
            checked_events(wrong)


def happened() -> Happened:
    return Happened(bytes(16), "job.dead", 1_700_000_000_000_000, bytes(16), 3)


def test_a_body_that_would_be_too_long_leaves_out_what_is_long_and_says_so() -> None:
    data = {"id": "1", "args": "a" * 15_000, "result": "r" * 15_000, "error": "e"}
    body = body_of(happened(), data, "standard")
    assert len(body) <= BODY_BYTES
    found = json.loads(body)["data"]
    assert (found["result"], found["left_out"], found["args"]) == (None, ["result"], "a" * 15_000)


def test_both_forms_have_their_fields() -> None:
    standard = json.loads(body_of(happened(), {"id": "1"}, "standard"))
    assert standard == {"type": "job.dead", "timestamp": "2023-11-14T22:13:20Z", "data": {"id": "1"}}
    event = json.loads(body_of(happened(), {"id": "1"}, "cloudevents"))
    assert {"specversion", "id", "source", "type"} <= event.keys()
    assert event["id"] == f"msg_{'0' * 32}"
