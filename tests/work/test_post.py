"""Sending a message to receivers that mean no good: bounded in time and size, and never into this network."""

import asyncio
import gzip
import socket
import time
from typing import Any

import pytest

from relet.clock import SECOND, SystemClock
from relet.work.post import ANSWER_BYTES, Answer, Post
from tests.support.receiver import Receiver, Reply, dripping, silent, status

HERE = ("127.0.0.0/8", "::1/128")


def send(url: str, allowed: tuple[str, ...] = HERE, timeout_us: int = SECOND) -> Answer:
    return asyncio.run(Post(allowed, timeout_us, SystemClock()).send(url, {"webhook-id": "msg_1"}, b"{}"))


def test_a_message_arrives_as_it_is() -> None:
    with Receiver(status(202, text="thanks")) as receiver:
        answer = send(receiver.url)
    assert (answer.status, answer.text, answer.error) == (202, "thanks", "")
    (received,) = receiver.received
    assert (received.path, received.body, received.headers["webhook-id"]) == ("/hook", b"{}", "msg_1")
    assert received.headers["host"] == f"127.0.0.1:{receiver.port}"


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"
TOO_SLOW: dict[str, Reply] = {
    "says nothing": silent,
    "drips a status": dripping(b"HTTP/1.1 2", b"0"),
    "drips a header": dripping(HEAD + b"x-long: ", b"x"),
    "asks for more time": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("how", TOO_SLOW)
def test_who_does_not_answer_is_not_waited_for(how: str) -> None:
    with Receiver(TOO_SLOW[how]) as receiver:
        began = time.monotonic()
        answer = send(receiver.url, timeout_us=SECOND // 2)
        assert time.monotonic() - began < 5
    assert answer.status is None
    assert answer.error


def test_a_body_that_drips_does_not_undo_the_status() -> None:
    with Receiver(dripping(HEAD + b"\r\n", b"x")) as receiver:
        answer = send(receiver.url, timeout_us=SECOND // 2)
    assert (answer.status, answer.error) == (200, "")
    assert set(answer.text) <= {"x"}


def test_a_huge_answer_is_read_to_a_bound_and_a_packed_one_stays_packed() -> None:
    def endless(connection: socket.socket, _: int) -> None:
        connection.sendall(HEAD + b"\r\n")
        while True:
            connection.sendall(b"y" * 100_000)

    bomb = gzip.compress(b"0" * 50_000_000)

    def packed(connection: socket.socket, _: int) -> None:
        connection.sendall(HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb) + bomb)

    for reply in (endless, packed):
        with Receiver(reply) as receiver:
            answer = send(receiver.url)
        assert answer.status == 200
        assert len(answer.text) <= ANSWER_BYTES


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_not_followed(code: int) -> None:
    with Receiver() as inside, Receiver(status(code, f"location: {inside.url}")) as receiver:
        answer = send(receiver.url)
    assert (answer.status, inside.connections, len(receiver.received)) == (code, 0, 1)
    assert "not followed" in answer.error


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://127.1:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f000001:{port}/",
        "http://0:{port}/",
        "http://localhost:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://[::1]:{port}/",
        "http://[::]:{port}/",
    ],
)
def test_this_host_is_not_reached_however_it_is_written(url: str) -> None:
    with Receiver() as receiver:
        answer = send(url.format(port=receiver.port), allowed=())
    assert (answer.status, receiver.connections) == (None, 0)
    assert "no message is sent there" in answer.error or "was not found" in answer.error


def test_the_address_that_is_connected_to_is_the_one_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads outside when it is looked at, and inside a moment later, gets nowhere."""
    looks: list[str] = []
    real = socket.getaddrinfo

    def turning(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "turning.example":
            return real(host, port, *args, **kwargs)
        looks.append(host)
        address = "192.0.2.1" if len(looks) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", turning)
    with Receiver() as receiver:
        url = f"http://turning.example:{receiver.port}/"
        first, second = send(url, allowed=("192.0.2.0/24",), timeout_us=SECOND // 5), send(url, allowed=())
    assert (first.status, second.status, receiver.connections) == (None, None, 0)
    assert len(looks) == 2
    assert "127.0.0.1" in second.error


def test_of_several_addresses_only_those_that_may_be_reached_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver:
        rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, receiver.port)) for a in ("10.0.0.1", "127.0.0.1")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: rows)
        answer = send(f"http://several.example:{receiver.port}/")
    assert (answer.status, receiver.received[0].headers["host"]) == (200, f"several.example:{receiver.port}")


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as proxy, Receiver() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert send(receiver.url).status == 200
    assert proxy.connections == 0


def test_who_speaks_no_http_or_hangs_up_is_a_failure() -> None:
    def noise(connection: socket.socket, _: int) -> None:
        connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")

    for reply in (noise, lambda _connection, _before: None):
        with Receiver(reply) as receiver:
            answer = send(receiver.url)
        assert answer.status is None
        assert answer.error


def test_a_server_without_a_certificate_that_counts_is_not_trusted() -> None:
    with Receiver() as receiver:
        answer = send(receiver.url.replace("http:", "https:"))
    assert answer.status is None
    assert receiver.received == []
