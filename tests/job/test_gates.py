"""Who may pass which gates: the pure decision."""

from hypothesis import given
from hypothesis import strategies as st

from relet.job.gates import Comer, Gate, GateKey, asked_in_order, decide, place_of
from relet.job.limits import Rate, Rule, Tally

MINUTE = 60_000_000
NOW = 1_700_000_000_000_000


def comer(n: int, *asked: tuple[str, str, int], rank: int = 0, at: GateKey | None = None) -> Comer:
    return Comer((place_of(rank, n), n.to_bytes(16, "big")), "q", asked_in_order(asked), 0, at=at)


def gate(name: str, concurrency: int | None = None, *rates: Rate, slots: int = 0, **fields: object) -> Gate:
    return Gate((name, ""), Rule(concurrency, None, rates), NOW, slots=slots, **fields)  # type: ignore[arg-type]


def test_nobody_is_let_in_past_one_who_stands_before_him_and_is_not_looked_at() -> None:
    one = gate("a", 5, behind=comer(1, ("a", "", 1), at=("a", "")))
    late = comer(2, ("a", "", 1))
    found = decide([late], {("a", ""): one})
    assert (found.passed, [lined for lined, _ in found.lined]) == ([], [late])
    assert one.more, "and the line is looked at again at once"


def test_one_that_another_gate_holds_up_holds_up_nobody_here() -> None:
    a, b = gate("a", 1), gate("b", 1, slots=1)
    both, only = comer(1, ("a", "", 1), ("b", "", 1)), comer(2, ("a", "", 1))
    found = decide([both, only], {("a", ""): a, ("b", ""): b})
    assert found.passed == [only]
    assert found.lined == [(both, ("b", ""))]


def test_when_a_rate_is_used_up_the_line_is_looked_at_when_the_first_unit_comes_back() -> None:
    rate = Rate(2, MINUTE)
    one = gate("a", None, rate, tallies=[Tally(MINUTE, rate.step(NOW - MINUTE // 2), 2)])
    decide([comer(1, ("a", "", 1))], {("a", ""): one})
    assert one.next_at is not None
    assert NOW + MINUTE // 2 <= one.next_at <= NOW + MINUTE // 2 + 2 * MINUTE // 60


def test_a_gate_that_is_asked_for_twice_is_asked_for_once_by_the_greater_weight() -> None:
    assert asked_in_order([("b", "", 1), ("a", "x", 2), ("a", "x", 5)]) == (("a", "x", 5), ("b", "", 1))


ASKED = st.lists(st.tuples(st.sampled_from("abc"), st.just(""), st.integers(1, 4)), min_size=1, max_size=3)


@given(
    st.lists(st.tuples(ASKED, st.integers(-2, 2)), max_size=20),
    st.dictionaries(st.sampled_from("abc"), st.tuples(st.integers(1, 5), st.integers(1, 8), st.integers(0, 5))),
)
def test_no_decision_lets_in_more_than_there_is_room_for_nor_leaves_room_to_the_first(
    wanted: list[tuple[list[tuple[str, str, int]], int]], rules: dict[str, tuple[int, int, int]]
) -> None:
    comers = [comer(n, *asked, rank=rank) for n, (asked, rank) in enumerate(wanted)]
    gates: dict[GateKey, Gate] = {
        (name, ""): gate(name, limit, Rate(units, MINUTE), slots=taken)
        for name in "abc"
        for limit, units, taken in [rules.get(name, (3, 6, 0))]
    }
    before = {key: one.slots for key, one in gates.items()}

    found = decide(comers, gates)

    for key, one in gates.items():
        limit = one.rule.concurrency or 0
        came = [each for each in found.passed if key in [(n, k) for n, k, _ in each.asked]]
        assert len(came) <= max(0, limit - before[key])
        assert sum(min(each.units_at(key), one.rule.rates[0].units) for each in came) <= one.rule.rates[0].units
    assert {each.job_id for each in found.passed} | {each.job_id for each, _ in found.lined} == {
        each.job_id for each in comers
    }
    for each, key in found.lined:
        stands_behind = any(other.order < each.order for other, at in found.lined if at == key)
        assert stands_behind or not gates[key].fits(each.units_at(key)), "the first of a line waits for nothing"
