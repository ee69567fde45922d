"""Mistakes that a type checker must find: on every line marked so, and on no other."""

from __future__ import annotations

from relet import App, Task
from tests.typing.good import Lead, add, app, build, charge, email, fetch_lead

add.enqueue("x", 2)  # wrong
charge.options(delay=5).enqueue("x")  # wrong
charge.enqueue()  # wrong
add.options(dely=5)  # wrong
email.call(fetch_lead.call(1))  # wrong
number: str = add.enqueue(1, 2).result()  # wrong
build.enqueue(Lead(1), "dark")  # wrong
add.enqueue(1, 2, 3)  # wrong
add(1, "2")  # wrong
add.options(priority=1.5)  # wrong
add.options(on_conflict="explode")  # wrong
app.enqueue_many([add(1, 2)])  # wrong
charge.call(1, cents="5")  # wrong
charge.run_now(cents=5)  # wrong


@app.task(que="billing")  # wrong
def misspelt() -> None: ...


@app.task(timeout=[1])  # wrong
def wrong_type() -> None: ...


async def main() -> None:
    await add.aenqueue(1)  # wrong
    text: int = await charge(1)  # wrong
    await charge(1, cents="5")  # wrong
    print(text)


def takes_text(task: Task[[str], int]) -> None:
    task.enqueue("x")


takes_text(add)  # wrong
app.worker().drain(grace_us=5)  # wrong
app.worker().wait([5])  # wrong
add.enqueue(1, 2).cancel(grace=[20])  # wrong
App(5)  # wrong
