"""What pages are made of, without a store: the query bar, charts, counts, lease bars."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.web import words
from relet.web.pages.asking import FIELDS, Asked
from relet.web.pages.charts import SPARK, nice, spark

WORD = st.text("abcxyz019_-.@", min_size=1, max_size=12)


@given(st.dictionaries(st.sampled_from(FIELDS), WORD | st.just("two words")), st.lists(WORD, max_size=3))
def test_what_is_asked_is_read_as_it_is_written(fields: dict[str, str], text: list[str]):
    asked = Asked(fields, " ".join(text))
    assert Asked.read(str(asked)) == asked


def test_an_unknown_field_is_text_and_the_last_word_of_a_known_one_counts():
    asked = Asked.read('queue:a colour:red queue:"b c" state: "no such"')
    assert asked == Asked({"queue": "b c"}, "colour:red state: no such")
    assert str(asked.with_field("queue", None)) == "colour:red state: no such"


@pytest.mark.parametrize(
    ("most", "top", "steps"),
    [(0, 1, 4), (3, 3, 3), (4, 4, 4), (97, 100, 4), (204, 250, 5), (0.7, 0.8, 4), (12_345, 15_000, 3)],
)
def test_an_axis_ends_at_a_round_value_that_is_not_below(most: float, top: float, steps: int):
    scale = nice(most)
    assert scale[0] == 0
    assert scale[-1] >= most
    assert 2 <= len(scale) <= 6


def test_a_line_goes_from_side_to_side_and_keeps_inside():
    drawn = spark([0, 5, 10])
    assert drawn is not None
    assert drawn.line == f"M{SPARK.left:.1f} {SPARK.bottom:.1f} L60.0 14.5 L{SPARK.right:.1f} {SPARK.top:.1f}"
    assert spark([3]) is None
    assert spark([0, 0]) is not None


def test_a_count_at_its_cap_says_so():
    assert words.count(9_999) == "9,999"
    assert words.count(10_000) == "10,000+"
