"""What is installed in this Python, read from its own package index: no network, no fixtures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path

import msgspec

_NAME = re.compile(r"[A-Za-z0-9._-]+")


class Package(msgspec.Struct, frozen=True):
    """One installed distribution."""

    name: str
    version: str
    files: int
    size: int
    """Bytes on disk."""
    requires: tuple[str, ...]
    """Names of packages that it cannot do without, those of its extras left out."""


def installed() -> list[Package]:
    """Every distribution that Python finds, by name."""
    found = {package.name: package for package in map(_package, distributions())}
    return [found[name] for name in sorted(found)]


def _package(found: Distribution) -> Package:
    paths = [Path(str(file.locate())) for file in found.files or ()]
    sizes = [path.stat().st_size for path in paths if path.is_file()]
    requires = sorted(set(_required(found.requires or ())))
    return Package(_normal(found.name), found.version, len(sizes), sum(sizes), tuple(requires))


def _required(requirements: Iterable[str]) -> Iterable[str]:
    for requirement in requirements:
        name = _NAME.match(requirement)
        if name and "extra ==" not in requirement:
            yield _normal(name[0])


def _normal(name: str) -> str:
    """As package indexes compare names: https://packaging.python.org/en/latest/specifications/name-normalization/"""
    return re.sub(r"[-_.]+", "-", name).lower()
