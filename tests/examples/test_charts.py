"""The chart service: what is drawn, what is refused and how it is told, and that nobody's chart harms the worker."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from examples.charts import tasks
from examples.charts.check import check
from examples.charts.draw import draw
from examples.charts.faults import Faulty
from examples.charts.gallery import gallery
from examples.charts.order import Order, order_of, read_request
from examples.charts.proof import flaw, png_size, svg_size
from examples.charts.service import service
from examples.charts.shelf import Shelf
from relet.settings import Settings
from relet.testing import Harness, relet_test

ROWS = [{"year": 2001, "price": 7.5, "name": "a"}, {"year": 2002, "price": 9, "name": "b"}]
BAR = {"chart": "bar", "data": ROWS, "x": "name", "y": "price"}
X = {"x": {"field": "year", "type": "ordinal"}}
UNENDING = {
    "data": {"values": [1, 2]},
    "mark": "bar",
    "encoding": {"x": {"field": "data", "bin": {"step": 1e-9}, "type": "quantitative"}, "y": {"aggregate": "count"}},
}


def spec(**more: Any) -> dict[str, Any]:
    return {"data": {"values": ROWS}, "mark": "bar", "encoding": X, **more}


def order(body: dict[str, Any]) -> Order:
    return order_of(read_request(msgspec.json.encode(body)))


def faults_of(body: dict[str, Any]) -> dict[str, str]:
    """What is wrong, by place."""
    with pytest.raises(Faulty) as caught:
        order(body)
    return {fault.at: fault.says for fault in caught.value.faults}


# ── what is refused, and where it says the mistake is ─────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("wrong", "at", "says"),
    [
        (spec(mark="barr"), "/mark", "Did you mean 'bar'?"),
        (spec(mark={"type": "blob"}), "/mark/type", "'blob' is no mark"),
        (spec(mark={"type": "image"}), "/mark/type", "Images are not drawn"),
        (spec(encoding={"x": {"field": "yaer"}}), "/encoding/x/field", "Did you mean 'year'?"),
        (spec(encoding={"colour": {"field": "year"}}), "/encoding/colour", "Did you mean 'color'?"),
        (spec(encoding={"x": {"field": "year", "type": "quant"}}), "/encoding/x/type", "'quant' is no type"),
        (spec(encoding={"x": {"field": "year", "aggregate": "mena"}}), "/encoding/x/aggregate", "Did you mean 'mean'?"),
        (spec(encoding={"y": {"field": "name", "type": "quantitative"}}), "/encoding/y/field", "the first is 'a'"),
        (spec(encoding={"x": "year"}), "/encoding/x", "It is a text"),
        (spec(encoding={"x": {}}), "/encoding/x", "names no field"),
        (spec(transform=[{"filtr": "true"}]), "/transform/0", "Did you mean 'filter'?"),
        (spec(data={"values": [*ROWS, 7]}), "/data/values/2", "This row is 7"),
        (spec(data={"values": "a,b"}), "/data/values", "say how to read it"),
        (spec(data={"values": "a,b\n1", "format": {"type": "csv"}}), "/data/values", "Line 2 has 1 values"),
        (spec(data={"values": {"a": 1}}), "/data/values", "Rows are a list"),
        (spec(data={"name": "prices"}), "/data", "the datasets are none"),
        (spec(layer=[]), "", "has mark and layer"),
        ({"data": {"values": ROWS}}, "", "has none of mark"),
        ({"data": {"values": ROWS}, "layer": [spec(), spec(mark="x")]}, "/layer/1/mark", "'x' is no mark"),
        (spec(**{"$schema": "https://vega.github.io/schema/vega/v5.json"}), "/$schema", "is not Vega-Lite"),
    ],
)
def test_a_mistake_is_named_by_its_place(wrong: dict[str, Any], at: str, says: str) -> None:
    assert says in faults_of({"spec": wrong})["/spec" + at]


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        (spec(data={"url": "http://169.254.169.254/latest"}), "/spec/data/url"),
        (spec(data={"url": "file:///etc/passwd"}), "/spec/data/url"),
        (
            spec(transform=[{"lookup": "a", "from": {"data": {"url": "/etc/passwd"}}}]),
            "/spec/transform/0/from/data/url",
        ),
        (spec(encoding={**X, "href": {"value": "javascript:alert(1)"}}), "/spec/encoding/href"),
        (spec(mark={"type": "bar", "href": "https://example.org"}), "/spec/mark/href"),
        (spec(config={"mark": {"href": "https://example.org"}}), "/spec/config/mark/href"),
        (spec(data={"sequence": {"start": 0, "stop": 1e9}}), "/spec/data/sequence"),
        (spec(data={"sequence": {"start": 0, "stop": 1, "step": 0}}), "/spec/data/sequence"),
        (spec(data={"values": [{"a": 1}] * 20_001}), "/spec/data/values"),
        (spec(data={"values": "a\n" + "1\n" * 20_001, "format": {"type": "csv"}}), "/spec/data/values"),
        (spec(width=1e7), "/spec/width"),
        ({"hconcat": [spec()] * 65}, "/spec"),
    ],
)
def test_what_reaches_out_or_is_too_large_is_refused(wrong: dict[str, Any], at: str) -> None:
    assert at in faults_of({"spec": wrong})


def test_a_specification_of_any_depth_is_refused_and_does_not_break_who_reads_it() -> None:
    deep: dict[str, Any] = spec()
    for _ in range(400):
        deep = {"layer": [deep]}
    assert "deeper" in check(deep)[0].says
    with pytest.raises(Faulty, match="nested too deeply"):
        read_request(b'{"spec": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001)


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({**BAR, "chart": "pi"}, "/chart"),
        ({**BAR, "y": "prize"}, "/y"),
        ({"chart": "bar", "data": ROWS}, "/x"),
        ({**BAR, "data": [1]}, "/data/0"),
        ({**BAR, "format": "gif"}, "/format"),
        ({**BAR, "scale": 40}, "/scale"),
        ({**BAR, "spec": spec()}, ""),
        ({"spec": {"hconcat": [spec()]}, "width": 100}, "/width"),
    ],
)
def test_an_order_is_checked_in_its_own_terms(body: dict[str, Any], at: str) -> None:
    assert at in faults_of(body)


def test_fields_that_a_transform_makes_are_known() -> None:
    made = [{"calculate": "datum.price * 2", "as": "twice"}, {"fold": ["price", "year"]}]
    assert check(spec(transform=made, encoding={"x": {"field": "twice"}, "y": {"field": "value"}})) == []
    assert check(spec(transform=[{"pivot": "name", "value": "price"}], encoding={"x": {"field": "a"}})) == []


def test_the_same_chart_has_the_same_key_and_another_has_another() -> None:
    assert order(BAR).key == order({**dict(reversed(BAR.items())), "priority": "high"}).key
    assert order(BAR).key != order({**BAR, "format": "png"}).key
    assert order(BAR).key != order({**BAR, "width": 300}).key


# ── drawing ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_chart_is_drawn_in_both_formats() -> None:
    svg = draw(order({**BAR, "width": 200, "height": 150}))
    png = draw(order({**BAR, "width": 200, "height": 150, "format": "png", "scale": 2}))
    assert svg_size(svg.content) == (svg.width, svg.height)
    assert png_size(png.content) == (png.width, png.height) == (2 * svg.width, 2 * svg.height)


def test_the_gallery_is_of_orders_that_can_be_drawn() -> None:
    assert len({order(body).key for body in gallery().values()}) == 15


def test_an_expression_that_cannot_be_read_is_named_by_its_place() -> None:
    wrong = spec(transform=[{"calculate": "datum.year + 1", "as": "a"}, {"filter": "datum.year >"}])
    with pytest.raises(Faulty, match=r"cannot be read: 'datum\.year >'") as caught:
        draw(Order(wrong, "svg", 1))
    assert [fault.at for fault in caught.value.faults] == ["/transform/1/filter"]


def test_the_renderer_itself_opens_no_address_and_no_file(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("word\nconfidential\n")
    reads = {"format": {"type": "csv"}}
    for url in (f"file://{tmp_path}/secret.csv", str(tmp_path / "secret.csv"), "http://127.0.0.1:9/secret.csv"):
        asked = Order(spec(data={"url": url, **reads}, mark="text", encoding={"text": {"field": "word"}}), "svg", 1)
        try:
            assert b"confidential" not in draw(asked).content
        except Faulty as error:
            assert "not allowed" in str(error)  # noqa: PT017  either way is right: refused, or nothing read
    with pytest.raises(Faulty, match="link or an image"):
        draw(Order(spec(mark={"type": "image", "url": "http://127.0.0.1:9/a.png"}), "png", 1))
    with pytest.raises(Faulty, match="pixels"):
        draw(Order(spec(width=4000, height=4000), "png", 4))


# ── the shelf ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_chart_is_put_on_the_shelf_once_and_half_a_file_is_never_one(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    assert shelf.put("abc", "svg", b"first")
    assert not shelf.put("abc", "svg", b"second")
    assert shelf.get("abc", "svg") == b"first"
    left = tmp_path / "ab" / "0.part"  # by a writer that was killed
    left.write_bytes(b"fir")
    assert [path.name for path in shelf.charts()] == ["abc.svg"]
    assert shelf.sweep(keep_s=3600) == 0
    assert shelf.sweep(keep_s=-1) == 1
    assert left.exists()


def test_an_image_that_is_cut_off_or_spoilt_is_noticed() -> None:
    png = draw(order({**BAR, "format": "png"})).content
    assert flaw("png", png) == ""
    assert flaw("png", png[:-20])
    assert flaw("png", png[:60] + b"?" + png[61:])
    assert flaw("svg", draw(order(BAR)).content[:-20])


# ── over HTTP ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def t(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    monkeypatch.setattr(tasks, "shelf", Shelf(tmp_path))
    harness = relet_test(tasks.app)
    yield harness
    harness.close()


@pytest.fixture
def web(t: Harness) -> Iterator[TestClient]:
    with TestClient(service(open_to_all=True), follow_redirects=False) as client:
        yield client


def test_an_order_is_answered_at_once_and_its_chart_is_there_when_it_is_drawn(t: Harness, web: TestClient) -> None:
    asked = web.post("/render", json={**BAR, "priority": "critical"})
    assert asked.status_code == 202
    place = asked.headers["location"]
    assert asked.json()["chart"] == place
    waits = web.get(place)
    assert (waits.status_code, waits.json()["status"]) == (202, "ready")
    assert web.get(asked.json()["image"]).status_code == 404
    assert tasks.app.job(asked.json()["id"]).info().priority == 3
    t.run_until_idle()
    done = web.get(place)
    assert (done.status_code, done.headers["content-type"]) == (200, "image/svg+xml")
    assert flaw("svg", done.content) == ""
    assert web.get(asked.json()["image"]).content == done.content
    assert web.get(place, headers={"if-none-match": done.headers["etag"]}).status_code == 304
    assert web.get(place, headers={"if-none-match": '"another"'}).status_code == 200


def test_the_same_chart_is_drawn_once_however_often_it_is_asked_for(t: Harness, web: TestClient) -> None:
    first, second = (web.post("/render", json=BAR).json()["id"] for _ in range(2))
    assert first == second
    t.run_until_idle()
    third = web.post("/render", json=BAR).json()["id"]
    t.run_until_idle()
    assert [tasks.app.job(one, tasks.render).result(0).new for one in (first, third)] == [True, False]
    assert web.get(f"/charts/{third}").status_code == 200


def test_who_wants_to_be_told_has_a_job_of_their_own_behind_the_one_that_draws(t: Harness, web: TestClient) -> None:
    first = web.post("/render", json=BAR).json()["id"]
    told = web.post("/render", json={**BAR, "notify": "https://example.org/drawn"}).json()["id"]
    assert told != first
    assert [str(parent.id) for parent in tasks.app.job(told).parents] == [first]
    assert t.run_until_idle() == 2
    assert web.get(f"/charts/{told}").status_code == 200
    refused = web.post("/render", json={**BAR, "notify": "ftp://example.org"})
    assert (refused.status_code, refused.json()["errors"][0]["at"]) == (422, "/notify")


def test_what_only_the_renderer_can_find_is_told_as_a_problem_of_the_chart(t: Harness, web: TestClient) -> None:
    place = web.post("/render", json={"spec": spec(transform=[{"filter": "datum.year >"}])}).headers["location"]
    t.run_until_idle()
    refused = web.get(place)
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert refused.json()["errors"][0]["at"] == "/transform/0/filter"
    assert tasks.app.dead.count() == 0


def test_requests_that_are_none_are_refused(web: TestClient) -> None:
    assert web.post("/render", json={**BAR, "x": "nam"}).json()["errors"][0]["at"] == "/x"
    assert web.post("/render", content="{").status_code == 415
    assert web.post("/render", content=b"{", headers={"content-type": "application/json"}).status_code == 422
    assert web.post("/render", json={**BAR, "title": "a" * 300_000}).status_code == 413
    assert web.get("/charts/7").status_code == 404
    assert web.get("/images/..%2f..%2fetc.svg").status_code == 404


def test_the_gallery_asks_for_what_it_has_not_and_the_dashboard_is_mounted(t: Harness, web: TestClient) -> None:
    page = web.get("/").text
    assert "15 of 15 are still to be drawn" in page
    assert len(t.enqueued(tasks.render)) == len(re.findall("<figure>", page)) == 15
    assert web.get("/relet/api/v1/status").status_code == 200
    answers = [web.get(path).status_code for path in ("/health", "/worker/stats", "/distributed/stats", "/metrics")]
    assert answers == [200, 200, 200, 200]


# ── in a process with bounds ──────────────────────────────────────────────────────────────────────────────────────────
def test_a_chart_without_end_is_killed_and_the_next_one_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHARTS_FOLDER", str(tmp_path))
    monkeypatch.setattr(tasks, "shelf", Shelf(tmp_path / "shelf"))
    tasks.app.settings = Settings.load(code={"url": f"sqlite:///{tmp_path}/jobs.db"})
    with tasks.app, TestClient(service(open_to_all=True)) as web, tasks.app.worker(slots=1, cancel_grace="100ms"):
        never = tasks.render.options(timeout="1s", priority="critical").enqueue("0" * 32, Order(UNENDING, "svg", 1))
        drawn = tasks.render.enqueue(order(BAR).key, order(BAR))
        assert drawn.result("60s").new
        refused, chart = web.get(f"/charts/{never.id}"), web.get(f"/charts/{drawn.id}")
    assert (refused.status_code, chart.status_code) == (422, 200)
    assert "takes more time or memory" in refused.json()["detail"]
