"""The lease protocol keeps its invariants in every state that it can reach, and each rule of it is needed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.protocol.lease import Rules, explore

MODEL = Path(__file__).with_name("lease.pml")


def test_no_reachable_state_breaks_an_invariant():
    found = explore(Rules())

    assert (found.fault, found.trace, found.stuck) == ("", [], None)
    assert found.states > 50_000, "the model has lost most of its behaviour"


@pytest.mark.parametrize("fence", ["job, session", "job that runs", "job", "nothing"])
def test_a_fence_that_names_less_lets_a_superseded_settle_through(fence: str):
    assert explore(Rules(fence=fence)).fault  # type: ignore[arg-type]  # the parameters are its literals


def test_a_reclaim_without_a_second_look_breaks_a_good_lease():
    assert "good lease" in explore(Rules(second_look=False)).fault


def test_a_claim_under_an_ended_session_gets_stuck():
    stuck = explore(Rules(live_claims=False)).stuck

    assert stuck is not None
    assert stuck.sessions[stuck.holder] == "ended"


# ── the same by SPIN, which also proves that every job ends ───────────────────────────────────────────────────────


@pytest.fixture
def spin(tmp_path: Path) -> "Spin":
    """SPIN in a directory of its own."""
    missing = [name for name in ("spin", "gcc") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {' and '.join(missing)} (apt-get install spin gcc)")
    return Spin(tmp_path)


class Spin:
    """Makes a verifier of the model and runs it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def errors(self, *defined: str, liveness: bool = False) -> int:
        """How many errors the verifier finds; it stops at the first."""
        self._run("spin", *[f"-D{name}" for name in defined], "-a", str(MODEL))
        self._run("gcc", "-O1", "-w", *(["-DNFAIR=3"] if liveness else ["-DSAFETY", "-DNOCLAIM"]), "-o", "pan", "pan.c")
        told = self._run("./pan", "-m100000", *(["-a", "-f"] if liveness else []))
        assert "max search depth too small" not in told
        return int(told.partition("errors: ")[2].split()[0])

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, cwd=self._directory, capture_output=True, text=True, timeout=120, check=True)
        return done.stdout


def test_spin_finds_no_fault(spin: Spin):
    assert spin.errors("FAULTS=2") == 0


def test_spin_proves_that_every_job_ends(spin: Spin):
    assert spin.errors("FAULTS=2", liveness=True) == 0


@pytest.mark.parametrize("broken", ["FENCE_SESSION", "FENCE_RUNS", "FENCE_JOB", "NO_FENCE", "NO_SECOND_LOOK"])
def test_spin_finds_the_fault_of_a_weaker_store(spin: Spin, broken: str):
    assert spin.errors(broken) == 1


def test_spin_finds_the_job_that_never_ends_under_an_ended_session(spin: Spin):
    assert spin.errors("FAULTS=2", "BLIND_CLAIMS", liveness=True) == 1
