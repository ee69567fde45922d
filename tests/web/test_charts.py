"""Charts as paths of an SVG."""

from relet.web.pages.charts import Box, between, spark

BOX = Box(0, 0, 20, 10)


def test_a_line_is_drawn_only_where_there_is_something_of_it():
    nothing = between([4, 4, 4], [4, 4, 4], BOX, 4)
    assert nothing.line == ""
    some = between([0, 4, 4], [0, 2, 4], BOX, 4)
    assert some.line == "M0.0 10.0 L10.0 0.0 M10.0 0.0 L20.0 0.0"
    assert some.area == "M0.0 10.0 L10.0 0.0 L20.0 0.0 L20.0 0.0 L10.0 5.0 L0.0 10.0 Z"


def test_a_spark_is_drawn_all_along():
    found = spark([0, 0, 2], BOX)
    assert found is not None
    assert found.line == "M0.0 10.0 L10.0 10.0 L20.0 0.0"
    assert spark([1], BOX) is None
