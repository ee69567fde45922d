"""The table of settings: for each its name, unit, default, check and sentence. Everything else is read from it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from relet.clock import DAY, SECOND
from relet.job.duration import format_us
from relet.job.limits import parse_rule
from relet.job.prices import parse_price
from relet.settings import kinds
from relet.settings.setting import Given, Setting, at_least, between, engine_known, none_or_at_least


# ── defaults that follow from something ───────────────────────────────────────────────────────────────────────────────
def _third_of_lease(values: Mapping[str, Any]) -> int:
    return values["lease_us"] // 3


def _poll_within_lease(values: Mapping[str, Any]) -> int:
    return min(2 * SECOND, values["lease_us"] // 4)


def _host_and_pid(_values: Mapping[str, Any]) -> str:
    return kinds.host_and_pid(os.getpid())


TABLE: tuple[Setting, ...] = (
    Setting(
        "url",
        kinds.URL,
        "sqlite:///relet.db",
        "Where jobs are kept: `sqlite:///file.db`, `sqlite+stdlib:///file.db` or `postgresql://host,host/database`.",
        "sqlite:///relet.db",
        engine_known,
    ),
    Setting(
        "app",
        kinds.TEXT,
        "",
        "Where the App is: `module:attribute`, or `module` when it holds one App.",
        "tasks:app",
        default_words="the only App in app.py, tasks.py, main.py or <package>/tasks.py",
    ),
    Setting(
        "worker",
        kinds.WORKER,
        _host_and_pid,
        "Name of this worker in the registry and in log lines. Only a label: each process start has an identity of its own.",
        "worker-1",
        also_env=("WORKER_ID",),
        default_words="host name and process id",
    ),
    Setting(
        "queues",
        kinds.QUEUES,
        {},
        "Queues to work on with their shares, such as `email=5,default=1`; `*` stands for all others.",
        {"email": 5, "default": 1},
        default_words="all queues, evenly",
    ),
    Setting(
        "queue_limits",
        kinds.LIMITS,
        {},
        "What queues are held to in all workers together, such as `lead=5 50/min 2/worker`: at once, in a time, and in each "
        "worker. A person may say something else at run time.",
        {"lead": parse_rule("5 50/min")},
        default_words="none",
    ),
    Setting(
        "slots",
        kinds.COUNT,
        10,
        "Jobs that run at once in one worker process. A worker of `async def` tasks alone may have 1000 and more.",
        10,
        between(1, 100_000, "has to be from 1 to 100000: with no slot nothing would ever run"),
        also_env=("WORKER_MAX_JOBS", "MAX_CONCURRENT_JOBS"),
    ),
    Setting(
        "turn_size",
        kinds.COUNT,
        500,
        "Jobs that one transaction settles and claims at most.",
        500,
        between(1, 1000, "has to be from 1 to 1000: larger transactions hold locks for too long"),
    ),
    Setting(
        "lease",
        kinds.DURATION,
        90 * SECOND,
        "How long a worker that is not heard of keeps its jobs. Not a limit for the run of a job: that is its timeout.",
        90 * SECOND,
        at_least(SECOND, "is shorter than 1s: any pause of the host would take running jobs away from live workers"),
    ),
    Setting(
        "heartbeat",
        kinds.DURATION,
        _third_of_lease,
        "How often a worker renews its lease; at most a third of it, so that two renewals may fail.",
        30 * SECOND,
        at_least(SECOND // 20, "is shorter than 50ms: renewals would be most of what the store does"),
        default_words="a third of the lease",
    ),
    Setting(
        "poll",
        kinds.DURATION,
        _poll_within_lease,
        "The longest sleep before an idle worker looks for jobs again, should no wake-up reach it.",
        2 * SECOND,
        at_least(SECOND // 1000, "is shorter than 1ms: an idle worker would keep the store busy"),
        default_words="2s, or a quarter of a lease below 8s",
    ),
    Setting(
        "grace",
        kinds.DURATION,
        30 * SECOND,
        "How long running jobs may go on after a worker was told to stop; what remains is given back, at no cost to it.",
        30 * SECOND,
    ),
    Setting(
        "routine_grace",
        kinds.DURATION,
        30 * SECOND,
        "The same for runs of routines and schedules, if it is shorter than `grace`. A continuous one ends with its pass.",
        30 * SECOND,
    ),
    Setting(
        "max_concurrent_routines",
        kinds.COUNT,
        0,
        "Runs of routines at once, in the whole cluster; the others wait, by priority. Continuous ones do not count.",
        10,
        at_least(0, "is a number of runs"),
        default_words="no limit",
    ),
    Setting(
        "cancel_grace",
        kinds.DURATION,
        20 * SECOND,
        "How long a cancelled or timed-out job has to end by itself before it is abandoned or killed, unless its cancel says.",
        20 * SECOND,
    ),
    Setting(
        "offers",
        kinds.OFFERS,
        (),
        "What this worker offers to jobs that need it, such as `gpu=a100,region=eu`.",
        ("gpu=a100", "region=eu"),
        default_words="nothing",
    ),
    Setting(
        "tier",
        kinds.COUNT,
        0,
        "Workers of tier 0 claim first; those of a higher number take only what has waited for `tier_wait`: a standby.",
        0,
        between(0, 100, "has to be from 0 to 100"),
    ),
    Setting(
        "tier_wait",
        kinds.DURATION,
        5 * SECOND,
        "How long a job has to wait before a worker of a higher tier takes it.",
        5 * SECOND,
    ),
    Setting(
        "max_payload",
        kinds.SIZE,
        256 * 1024,
        "The largest encoded arguments, and the largest result, of one job. Larger ones belong into a file or a table.",
        256 * 1024,
        between(1024, 64 * 1024 * 1024, "has to be from 1K to 64M: jobs are read and written many at a time"),
    ),
    Setting(
        "max_backlog",
        kinds.COUNT,
        0,
        "Jobs that may wait in one queue. A worker closes a fuller one within seconds, until a tenth of them is done.",
        1_000_000,
        none_or_at_least(1000, "is below 1000: a queue would be closed by an ordinary rush"),
        default_words="no limit",
    ),
    Setting(
        "keep_finished",
        kinds.DURATION,
        7 * DAY,
        "How long finished jobs and their results are kept.",
        7 * DAY,
    ),
    Setting(
        "keep_dead",
        kinds.DURATION,
        30 * DAY,
        "How long dead letters are kept after they were resolved; unresolved ones are kept for ever.",
        30 * DAY,
    ),
    Setting("keep_audit", kinds.DURATION, 90 * DAY, "How long it is kept what people did over HTTP.", 90 * DAY),
    Setting(
        "health_window",
        kinds.DURATION,
        300 * SECOND,
        "By the runs of so long a queue or a worker is judged healthy or not.",
        300 * SECOND,
        between(60 * SECOND, 3600 * SECOND, "has to be from 1m to 1h: runs are counted by the minute"),
    ),
    Setting(
        "health_errors",
        kinds.COUNT,
        5,
        "More failed runs than this while none succeeds, within the window: not healthy.",
        5,
        at_least(0, "is a number of runs"),
    ),
    Setting(
        "health_recovered_errors",
        kinds.COUNT,
        3,
        "To be healthy again, fewer runs than this must have failed within the window, and one must have succeeded.",
        3,
        at_least(1, "has to be 1 at least: fewer than none can never fail"),
    ),
    Setting(
        "health_failure_percent",
        kinds.COUNT,
        5,
        "A larger part of the runs failed within the window: not healthy; to be healthy again, it has to be smaller.",
        5,
        between(1, 100, "has to be from 1 to 100"),
    ),
    Setting(
        "prices",
        kinds.PRICES,
        {},
        "What models cost per million tokens, in and out, for `ctx.llm`, such as `claude-3-haiku*=0.25/1.25`. What code says "
        "comes before it, what genai-prices says behind it.",
        {"claude-3-haiku*": parse_price("0.25/1.25")},
        default_words="none",
    ),
    Setting(
        "lock_dir",
        kinds.TEXT,
        "",
        "A directory of this host for the files by whose locks workers notice each other's death at once.",
        "/run/relet",
        default_words="/tmp/relet-UID",
    ),
    Setting(
        "webhook_slots",
        kinds.COUNT,
        20,
        "Messages to webhooks that are on their way at once in one worker process, beside its jobs. 0: it sends none.",
        20,
        between(0, 1000, "has to be from 0 to 1000"),
    ),
    Setting(
        "webhook_timeout",
        kinds.DURATION,
        15 * SECOND,
        "How long a webhook has to answer, all in all.",
        15 * SECOND,
        between(SECOND, 300 * SECOND, "has to be from 1s to 5m"),
    ),
    Setting(
        "webhook_allow",
        kinds.NETWORKS,
        (),
        "Networks of your own that messages may be sent to, such as `10.1.0.0/16`, beside public addresses.",
        ("10.1.0.0/16",),
        default_words="none",
    ),
    Setting(
        "webhook_patience",
        kinds.DURATION,
        5 * DAY,
        "A webhook that has failed for so long without a success is disabled; 0: never.",
        5 * DAY,
    ),
    Setting(
        "webhook_secret",
        kinds.SECRET,
        "",
        "Signs what jobs tell to addresses of their own (`notify`). Not for a command line.",
        "",
        default_words="none: it goes unsigned",
    ),
    Setting(
        "log_format",
        kinds.one_of("pretty", "json"),
        "pretty",
        "Log lines for people (`pretty`) or for programs (`json`).",
        "pretty",
    ),
    Setting(
        "log_level",
        kinds.one_of("debug", "info", "warning", "error"),
        "info",
        "The least level of log lines that are written.",
        "info",
    ),
)

BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in TABLE}


def check_together(values: Mapping[str, Any], given: Mapping[str, Given]) -> None:
    """Values that are fine alone and dangerous together. Raises SettingsError."""
    lease: int = values["lease_us"]
    for name, dangerous, why, instead in (
        (
            "heartbeat",
            values["heartbeat_us"] * 3 > lease,
            f"is above a third of the lease ({format_us(lease)}): one late renewal would hand running jobs to other workers",
            lease // 3,
        ),
        (
            "poll",
            values["poll_us"] >= lease,
            f"is not shorter than the lease ({format_us(lease)}): what a dead worker held would wait for the next look",
            _poll_within_lease(values),
        ),
        (
            "keep_finished",
            values["keep_finished_us"] < lease,
            f"is shorter than the lease ({format_us(lease)}): a worker that reports late would find its job forgotten",
            7 * DAY,
        ),
    ):
        if dangerous:
            setting = BY_NAME[name]
            raise setting.refusal(given.get(name), values[setting.field], why, instead)
