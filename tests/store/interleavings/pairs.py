"""Which verbs are played against which.

Each two verbs meet, the one at every statement of the other. In a quick run it is only the one way around, and the other way
around with the next seed: RELET_TEST_SEED, by default the day, and in CI always the same. RELET_TEST_SCALE=2 plays all, and so
does RELET_TEST_BOTH_WAYS=1.
"""

import os
import time
from collections.abc import Sequence

SCALE = int(os.environ.get("RELET_TEST_SCALE", "1"))
TODAY = 0 if os.environ.get("CI") else int(time.time()) // 86_400
SEED = int(os.environ.get("RELET_TEST_SEED", TODAY))
BOTH_WAYS = SCALE > 1 or os.environ.get("RELET_TEST_BOTH_WAYS") == "1"


def partners(mine: str, played: Sequence[str], seed: int = SEED, both: bool = BOTH_WAYS) -> list[str]:
    """The verbs that happen at every statement of `mine`."""
    return [theirs for theirs in played if both or _meets(played.index(mine), played.index(theirs), seed)]


def _meets(mine: int, theirs: int, seed: int) -> bool:
    return mine == theirs or (mine + theirs + seed + (mine > theirs)) % 2 == 0


def judge(found: Sequence[str]) -> None:
    """Raise AssertionError with what went wrong and how to see it again."""
    assert not found, "\n".join((*found, f"play it again with RELET_TEST_SEED={SEED}"))
