"""The gallery: requests for charts of real data, as a client would send them."""

from __future__ import annotations

from collections import Counter

from examples.charts.datasets import day, rows, text
from examples.charts.faults import Json
from examples.charts.simple import CONFIG

WEATHER = ("sun", "fog", "drizzle", "rain", "snow")
_COLORS = ("#e7ba52", "#c7c7c7", "#aec7e8", "#2f6db5", "#8a7cc2")


def gallery() -> dict[str, Json]:
    """Bodies of `POST /render` by name: first charts by type, then specifications."""
    return {**_by_type(), **_specified()}


# ── charts by type ────────────────────────────────────────────────────────────────────────────────────────────────────
def _by_type() -> dict[str, Json]:
    stocks = [{**row, "date": day(row["date"], "%b %d %Y")} for row in rows("stocks.csv")]
    days = Counter(row["weather"] for row in rows("seattle-weather.csv"))
    return {
        "stocks": {
            "chart": "line",
            "title": "Share prices, 2000 to 2010",
            "data": stocks,
            "x": "date",
            "y": "price",
            "color": "symbol",
        },
        "electricity": {
            "chart": "area",
            "title": "Electricity made in Iowa, in GWh",
            "data": [{**row, "GWh": row.pop("net_generation")} for row in rows("iowa-electricity.csv")],
            "x": "year",
            "y": "GWh",
            "color": "source",
        },
        "jobs-lost": {
            "chart": "bar",
            "title": "Change of jobs in the United States, in thousands",
            "data": [{"month": row["month"], "change": row["nonfarm_change"]} for row in rows("us-employment.csv")],
            "x": "month",
            "y": "change",
        },
        "cars": {
            "chart": "point",
            "title": "Power and thrift of 406 cars",
            "data": rows("cars.json"),
            "x": "Horsepower",
            "y": "Miles_per_Gallon",
            "color": "Origin",
        },
        "weather-days": {
            "chart": "pie",
            "title": "Days in Seattle, 2012 to 2015",
            "data": [{"weather": weather, "days": number} for weather, number in days.most_common()],
            "x": "weather",
            "y": "days",
        },
    }


# ── specifications ────────────────────────────────────────────────────────────────────────────────────────────────────
def _specified() -> dict[str, Json]:
    specs = {
        "weather-months": _weather_months(),
        "temperatures": _temperatures(),
        "candles": _candles(),
        "crimea": _crimea(),
        "driving": _driving(),
        "wheat": _wheat(),
        "airports": _airports(),
    }
    composed = {"barley": _barley(), "anscombe": _anscombe(), "iris": _iris()}
    return {
        **{name: {"spec": {"config": CONFIG, "width": 420, "height": 260, **spec}} for name, spec in specs.items()},
        **{name: {"spec": {"config": CONFIG, **spec}} for name, spec in composed.items()},
    }


def _weather_months() -> Json:
    return {
        "title": "Weather in Seattle by month",
        "data": {"values": text("seattle-weather.csv"), "format": {"type": "csv"}},
        "mark": "bar",
        "encoding": {
            "x": {"field": "date", "timeUnit": "month", "type": "ordinal", "title": None, "axis": {"labelAngle": 0}},
            "y": {"aggregate": "count", "title": "days in four years"},
            "color": {
                "field": "weather",
                "type": "nominal",
                "scale": {"domain": WEATHER, "range": _COLORS},
            },
        },
    }


def _temperatures() -> Json:
    return {
        "title": {"text": "A year of temperatures in Seattle", "subtitle": "mean by hour and month, in °C"},
        "data": {"values": text("seattle-temps.csv"), "format": {"type": "csv"}},
        "transform": [{"calculate": "(datum.temp - 32) / 1.8", "as": "celsius"}],
        "mark": "rect",
        "encoding": {
            "x": {"field": "date", "timeUnit": "hours", "type": "ordinal", "title": "hour", "axis": {"labelAngle": 0}},
            "y": {"field": "date", "timeUnit": "month", "type": "ordinal", "title": None},
            "color": {
                "field": "celsius",
                "aggregate": "mean",
                "type": "quantitative",
                "title": "°C",
                "scale": {"scheme": "redyellowblue", "reverse": True},
            },
        },
    }


def _candles() -> Json:
    falls = {"condition": {"test": "datum.open > datum.close", "value": "#c4564b"}, "value": "#3c9d78"}
    return {
        "title": "A share in June and July 2009, in dollars",
        "data": {"values": rows("ohlc.json")},
        "encoding": {
            "x": {"field": "date", "type": "temporal", "title": None, "scale": {"padding": 8}},
            "color": falls,
        },
        "layer": [
            {
                "mark": "rule",
                "encoding": {
                    "y": {"field": "low", "type": "quantitative", "scale": {"zero": False}, "title": None},
                    "y2": {"field": "high"},
                },
            },
            {
                "mark": {"type": "bar", "size": 7},
                "encoding": {"y": {"field": "open", "type": "quantitative"}, "y2": {"field": "close"}},
            },
        ],
    }


def _crimea() -> Json:
    return {
        "title": {"text": "Deaths in the Crimean War", "subtitle": "of British soldiers, by month and cause"},
        "data": {"values": rows("crimea.json")},
        "transform": [{"fold": ["disease", "wounds", "other"], "as": ["cause", "deaths"]}],
        "mark": {"type": "bar", "cornerRadius": 1},
        "encoding": {
            "x": {"field": "date", "timeUnit": "yearmonth", "type": "ordinal", "title": None},
            "y": {"field": "deaths", "type": "quantitative", "title": None},
            "color": {"field": "cause", "type": "nominal", "sort": None},
        },
    }


def _driving() -> Json:
    place = {
        "x": {
            "field": "miles",
            "type": "quantitative",
            "scale": {"zero": False},
            "title": "miles by car, a head and year",
        },
        "y": {"field": "gas", "type": "quantitative", "scale": {"zero": False}, "title": "price of a gallon, $"},
        "order": {"field": "year"},
    }
    return {
        "title": "Driving shifts into reverse, 1956 to 2010",
        "data": {"values": rows("driving.json")},
        "encoding": place,
        "layer": [
            {"mark": {"type": "line", "point": {"size": 22}, "color": "#2f6db5"}},
            {
                "transform": [{"filter": "datum.year % 6 == 0 && datum.year > 1956"}],
                "mark": {"type": "text", "color": "#444", **_beside()},
                "encoding": {"text": {"field": "year"}},
            },
        ],
    }


def _beside() -> Json:
    """Where a label stands: the data says on which side of its point."""
    across = {"expr": "datum.side == 'left' ? -17 : datum.side == 'right' ? 17 : 0"}
    along = {"expr": "datum.side == 'top' ? -10 : datum.side == 'bottom' ? 11 : 0"}
    return {"dx": across, "dy": along}


def _wheat() -> Json:
    return {
        "title": {"text": "Wheat and wages", "subtitle": "shillings for a quarter of wheat, and for a week of work"},
        "data": {"values": rows("wheat.json"), "format": {"parse": {"year": "date:'%Y'"}}},
        "encoding": {"x": {"field": "year", "type": "temporal", "title": None}},
        "layer": [
            {
                "mark": {"type": "area", "interpolate": "step-after", "color": "#b9bec6"},
                "encoding": {"y": {"field": "wheat", "type": "quantitative", "title": "shillings"}},
            },
            {
                "mark": {"type": "area", "color": "#e0803a", "opacity": 0.75, "line": {"color": "#b4541a"}},
                "encoding": {"y": {"field": "wages", "type": "quantitative"}},
            },
        ],
    }


def _airports() -> Json:
    found = [{"lon": row["longitude"], "lat": row["latitude"]} for row in rows("airports.csv")]
    return {
        "title": "Airports of the United States",
        "data": {"values": [row for row in found if row["lon"] < 0]},
        "projection": {"type": "albersUsa"},
        "mark": {"type": "circle", "size": 5, "color": "#2f6db5", "opacity": 0.7},
        "encoding": {
            "longitude": {"field": "lon", "type": "quantitative"},
            "latitude": {"field": "lat", "type": "quantitative"},
        },
    }


def _barley() -> Json:
    return {
        "title": {"text": "Barley in Minnesota", "subtitle": "bushels an acre, in 1931 and 1932"},
        "data": {"values": rows("barley.json")},
        "facet": {"field": "site", "type": "nominal", "title": None, "sort": {"field": "yield", "op": "median"}},
        "columns": 3,
        "spec": {
            "width": 120,
            "height": 120,
            "mark": {"type": "point", "filled": True, "size": 35},
            "encoding": {
                "x": {"field": "yield", "type": "quantitative", "title": None},
                "y": {"field": "variety", "type": "nominal", "title": None, "sort": "-x", "axis": {"labelFontSize": 9}},
                "color": {"field": "year", "type": "nominal"},
            },
        },
    }


def _anscombe() -> Json:
    at = {
        "x": {"field": "X", "type": "quantitative", "scale": {"domain": [3, 20]}},
        "y": {"field": "Y", "type": "quantitative", "scale": {"domain": [2, 14]}},
    }
    return {
        "title": "Four times the same mean, variance and regression",
        "data": {"values": rows("anscombe.json")},
        "facet": {"field": "Series", "type": "nominal", "title": None},
        "columns": 2,
        "spec": {
            "width": 190,
            "height": 110,
            "layer": [
                {"mark": {"type": "point", "filled": True, "opacity": 0.9}, "encoding": at},
                {
                    "transform": [{"regression": "Y", "on": "X", "extent": [3, 20]}],
                    "mark": {"type": "line", "color": "#e0803a"},
                    "encoding": at,
                },
            ],
        },
    }


def _iris() -> Json:
    return {
        "title": "Irises of three species, in cm",
        "data": {"values": rows("iris.json")},
        "repeat": {"row": ["petalLength", "petalWidth"], "column": ["sepalLength", "sepalWidth"]},
        "spec": {
            "width": 180,
            "height": 110,
            "mark": {"type": "point", "filled": True, "size": 12},
            "encoding": {
                "x": {"field": {"repeat": "column"}, "type": "quantitative", "scale": {"zero": False}},
                "y": {"field": {"repeat": "row"}, "type": "quantitative", "scale": {"zero": False}},
                "color": {"field": "species", "type": "nominal"},
            },
        },
    }
