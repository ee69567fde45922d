"""Real processes under faults for minutes or hours, and a judge who reads what they have left.

    python -m tests.soak [--seconds 60] [--engine sqlite|postgres|both] [--workers 4] [--seed N] [--keep DIR] [--json]

tasks.py     the app: async, thread and process jobs, flaky, doomed, unique, delayed, snoozing and poisonous ones
ledger.py    what runs and producers write down, one line per event, outside the store
produce.py   a producer process: enqueues, cancels, retries dead letters, and writes down what was acknowledged
crew.py      worker processes, started anew when they are gone
faults.py    SIGKILL, SIGSTOP beyond the lease, SIGTERM, restarts of the server, a held write lock
stage.py     the course of one run
judge.py     the history checker: from ledgers and rows to violations and figures; pure
"""
