"""Text from anywhere: storable on every engine, one line where one is wanted, bounded; nothing here raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.job.textsafe import ERROR_CHARS, clip, describe, one_line, shown, stack_of, storable

ANY_TEXT = st.text(st.characters())


class MuteError(Exception):
    def __str__(self) -> str:
        raise SystemExit("no text")


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


@given(st.text(st.characters(categories=None)))
def test_storable_text_has_no_nul_and_is_utf8(text: str) -> None:
    safe = storable(text)
    assert "\0" not in safe
    safe.encode()
    assert len(safe) == len(text)
    assert storable(safe) == safe


def test_storable_text_is_left_alone_but_for_what_cannot_be_stored() -> None:
    assert storable("a\0b\ud83dc\n\x1b👍") == "a\ufffdb\ufffdc\n\x1b👍"


@given(ANY_TEXT, st.integers(0, 200))
def test_clipped_text_is_within_the_limit_and_keeps_short_text(text: str, limit: int) -> None:
    clipped = clip(text, limit)
    assert len(clipped) <= limit
    assert clipped == text or len(text) > limit


def test_clipped_text_keeps_head_and_tail_and_says_how_long_it_was() -> None:
    clipped = clip("HEAD" + "x" * 100_000 + "TAIL", 100)
    assert clipped.startswith("HEAD")
    assert clipped.endswith("TAIL")
    assert "100,008 characters" in clipped


@given(st.text(st.characters(categories=None)))
def test_one_line_is_one_line_without_control_characters(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    line.encode()
    assert one_line(line) == line
    assert "\x1b" not in line


def test_one_line_shows_escapes_and_leaves_the_rest() -> None:
    assert one_line("a\r\nb\x1b[31m\u202e\u2028 'ü' \\n") == "a\\r\\nb\\x1b[31m\\u202e\\u2028 'ü' \\n"


def test_shown_is_short_ascii_whatever_the_value() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError

    for value in ("x" * 10_000_000, 10**10_000, -(10**10_000), Odd(), b"\xff" * 500, "\u202e\n", None):
        text = shown(value)
        assert len(text) <= 60
        assert text.isascii()
        assert text.isprintable()


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("bad"), "ValueError: bad"),
        (ValueError(), "ValueError"),
        (KeyError("x"), "KeyError: 'x'"),
        (SystemExit(3), "SystemExit: 3"),
        (
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"),
            "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: no",
        ),
        (ValueError("a\0b\ud800"), "ValueError: a\ufffdb\ufffd"),
    ],
)
def test_an_error_is_described(error: BaseException, text: str) -> None:
    assert describe(error) == text


def test_an_error_whose_text_raises_is_described_all_the_same() -> None:
    assert "MuteError" in describe(MuteError())
    assert "MuteError" in stack_of(raised(MuteError()))


def test_a_huge_message_is_bounded_with_its_head_and_tail() -> None:
    error = raised(ValueError("x" * 100_000_000 + "THE END"))
    assert len(describe(error)) <= ERROR_CHARS
    assert describe(error).endswith("THE END")
    assert len(stack_of(error, 1_000)) <= 1_000
    assert stack_of(error, 1_000).startswith("Traceback")


def test_a_group_names_its_first_members() -> None:
    text = describe(
        ExceptionGroup("two sides", [ValueError("a"), MuteError(), KeyError("b"), OSError("c"), OSError("d")])
    )
    assert "two sides (5 sub-exceptions)" in text
    assert "ValueError: a" in text
    assert "KeyError: 'b'" in text
    assert "and 2 more" in text


def test_groups_nested_without_end_are_bounded() -> None:
    group: ExceptionGroup[Exception] = ExceptionGroup("inmost", [ValueError("x")])
    for _ in range(3_000):
        group = ExceptionGroup("g", [group, group, group])
    assert len(describe(group)) <= ERROR_CHARS
    assert len(stack_of(group, 5_000)) <= 5_000


def test_a_stack_keeps_the_innermost_frames_and_the_cause() -> None:
    def deeper(n: int) -> None:
        if n == 0:
            raise ValueError("at the bottom") from KeyError("the cause")
        deeper(n - 1)

    with pytest.raises(ValueError, match="bottom") as caught:
        deeper(500)
    text = stack_of(caught.value)
    assert "at the bottom" in text
    assert "the cause" in text
    assert "direct cause" in text


def test_a_stack_shows_no_values_of_variables() -> None:
    def leak() -> None:
        password = "hunter2-" + "secret"
        raise ValueError(len(password))

    with pytest.raises(ValueError, match="14") as caught:
        leak()
    assert "hunter2-secret" not in stack_of(caught.value)


def test_an_endless_chain_of_causes_is_described() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert "one" in stack_of(one)
