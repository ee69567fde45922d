"""The list of commands: name, module, sentence. `relet --help` reads this and imports none of them."""

from __future__ import annotations

from typing import NamedTuple


class Command(NamedTuple):
    """A command: the module in `relet.cli` whose `configure` describes its arguments."""

    name: str
    module: str
    sentence: str


COMMANDS: tuple[Command, ...] = (
    Command("demo", "demo", "kill a worker while it works, and prove that nothing was lost"),
    Command("init", "init", "write a starter app and relet.toml here; overwrites nothing"),
    Command("worker", "worker", "run jobs"),
    Command("web", "web", "serve the HTTP API and the dashboard"),
    Command("enqueue", "enqueue", "enqueue one job"),
    Command("run", "run", "run a task now, in this process; or work off what is ready, once"),
    Command("status", "status", "how it stands: jobs, queues, workers, and what needs a person"),
    Command("health", "health", "which queues and workers are healthy, and why not; exit status 6 if not all are"),
    Command("top", "top", "watch it live"),
    Command("jobs", "jobs", "list, show, explain, cancel, retry and remove jobs"),
    Command("why", "why", "why a routine, a schedule or a job does not run, or when it will"),
    Command("batches", "batches", "list batches, and show how far one is"),
    Command("dead", "dead", "list, show, retry, resolve and remove dead letters"),
    Command("queues", "queues", "list, pause, resume, drain and purge queues"),
    Command("routines", "routines", "list routines, and trigger, enable, disable, pause, resume and backfill them"),
    Command("schedules", "schedules", "add, change, list and delete schedules at run time, and steer them"),
    Command("limits", "limits", "list, set, pause and resume limits that jobs share by name and key"),
    Command("breakers", "breakers", "list circuit breakers, and open, close and reset them"),
    Command("webhooks", "webhooks", "tell others of what happens: add, test, rotate and disable webhooks, send again"),
    Command("costs", "costs", "what jobs have consumed, by task, model, tenant and day"),
    Command("budgets", "budgets", "list, set, lift and forget what may be spent in a day"),
    Command("workers", "workers", "list, drain and stop workers"),
    Command("leases", "leases", "list the jobs that are held now, with their leases"),
    Command("recover", "recover", "give back the jobs of workers whose lease has lapsed"),
    Command("tokens", "tokens", "list, make and revoke tokens of the HTTP API"),
    Command("migrate", "migrate", "bring the store's schema to this version"),
    Command("doctor", "doctor", "check the store, the host and the jobs, and say what to do"),
    Command("completion", "completion", "print the completion script of a shell"),
    Command("version", "version", "print the version"),
)

BY_NAME = {command.name: command for command in COMMANDS}
