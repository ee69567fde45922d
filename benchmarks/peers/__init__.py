"""The same work side by side, in one run, against other job queues: `make bench-peers`.

    python -m benchmarks.peers [--peers pgqueuer,huey] [--seconds N] [--json FILE] [--markdown FILE]

Every side gets a store of its own in the same PostgreSQL (or a file on the same disk), jobs that do nothing with an argument
of one integer, worker processes of its own, and the configuration that its own documentation recommends for speed. All leave
the same marks, read by one clock. The sides take turns within each repetition; reported are medians, and their ratio to
Relet on the same kind of store in the same run. Machines differ and are noisy: quote the ratio first.

What is what: `sides` says who is measured and how it is configured; `environment` installs them; `adapters/` holds the few
lines that each project needs; `stage` is one side with a fresh store; `measure` takes the figures; `guarantees` says what each
side promises, and where that was checked; `report` prints.
"""
