"""What a snapshot of the packages says: figures, and a page that shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape

import msgspec

from examples.orchestrator.packages import Package

MEGABYTE = 1_000_000

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .2rem .6rem }
.number { text-align: right; font-variant-numeric: tabular-nums }
.bar { background: #2a7; height: .7rem }
.over .bar { background: #c43 }
@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd } }
"""


class Report(msgspec.Struct, frozen=True):
    """The figures of one snapshot."""

    taken_at: str
    packages: tuple[Package, ...]
    """The largest first."""
    files: int
    size: int
    """Bytes on disk, of all packages."""
    budget: int
    """Bytes that a package may have."""
    over_budget: tuple[str, ...]
    required_most: tuple[tuple[str, int], ...]
    """Names, with how many packages require them."""
    not_installed: tuple[str, ...]
    """Names that a package here requires. Some are for other systems, or other versions of Python."""


def report_on(packages: Sequence[Package], taken_at: str, budget: int) -> Report:
    """The figures of a snapshot."""
    required = Counter(name for package in packages for name in package.requires)
    return Report(
        taken_at=taken_at,
        packages=tuple(sorted(packages, key=lambda package: -package.size)),
        files=sum(package.files for package in packages),
        size=sum(package.size for package in packages),
        budget=budget,
        over_budget=tuple(package.name for package in packages if package.size > budget),
        required_most=tuple(required.most_common(5)),
        not_installed=tuple(sorted(required.keys() - {package.name for package in packages})),
    )


def page(report: Report) -> str:
    """The report as HTML."""
    rows = "\n".join(_row(package, report) for package in report.packages)
    most = ", ".join(f"{name} ({times})" for name, times in report.required_most)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Installed packages</title><style>{_STYLE}</style>
<h1>Installed packages</h1>
<p>{len(report.packages)} packages, {report.size / MEGABYTE:.1f} MB in {report.files:,} files, at {escape(report.taken_at)}.</p>
<p>Above {report.budget / MEGABYTE:g} MB: {_names(report.over_budget)}.
<br>Required most: {escape(most) or "none"}.
<br>Required, but not installed: {_names(report.not_installed)}.</p>
<table><tr><th>Package<th>Version<th class="number">Files<th class="number">MB<th>
{rows}
</table></html>
"""


def _names(names: Sequence[str]) -> str:
    return escape(", ".join(names)) or "none"


def _row(package: Package, report: Report) -> str:
    width = 100 * package.size / max(report.packages[0].size, 1)
    kind = ' class="over"' if package.name in report.over_budget else ""
    return (
        f"<tr{kind}><td>{escape(package.name)}<td>{escape(package.version)}<td class=number>{package.files:,}"
        f"<td class=number>{package.size / MEGABYTE:.2f}"
        f'<td style="width: 40%"><div class="bar" style="width: {width:.1f}%"></div>'
    )
