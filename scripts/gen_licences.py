"""Writes docs/licences.md: what LoreSmith runs with, and its licences (`make gen`); `--check` fails on a difference.

Either way it fails on a licence that is neither on the list below nor a stated exception.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "licences.md"
LOCKS = ("requirements/runtime.txt", "requirements/model.txt")
LINUX = {"sys_platform": "linux", "python_full_version": "3.11.14", "python_version": "3.11"}
"""What the list is of, whatever machine writes it: the image."""

ALLOWED = frozenset(
    [
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CNRI-Python",
        "ISC",
        "MIT",
        "MIT-0",
        "OFL-1.1",
        "PSF-2.0",
        "Unlicense",
        "Zlib",
    ]
)
EXCEPTIONS = {
    "certifi": "MPL-2.0 covers its own files, which are used unchanged",
    "orjson": "MPL-2.0 covers its own files, which are used unchanged",
    "psycopg": "LGPL-3.0: a library that is imported as it is and can be replaced; needed for PostgreSQL alone",
    "psycopg-binary": "the same; it has libpq (PostgreSQL licence) and OpenSSL (Apache-2.0) in it",
}
OLD_NAMES = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "ISC License": "ISC",
    "MIT License": "MIT",
}
"""Names of licences that packages without SPDX expressions give."""


@dataclass(frozen=True)
class Dependency:
    """A package, its locked version, its licence as an SPDX expression."""

    name: str
    version: str
    licence: str

    @property
    def allowed(self) -> bool:
        """Whether each licence that it names is on the list, or it is an exception."""
        return self.name in EXCEPTIONS or set(re.split(r" (?:AND|OR|WITH) ", self.licence.strip("()"))) <= ALLOWED


def main() -> int:
    """Write the page, or compare it with what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    packages, page = list(of_python()), list(of_page())
    text = render(packages, page)
    refused = [one for one in (*packages, *page) if not one.allowed]
    for one in refused:
        print(f"{one.name} {one.version}: licence {one.licence!r} is neither allowed nor an exception: {__file__}")
    unused = set(EXCEPTIONS) - {one.name for one in packages}
    if unused:
        print(f"exceptions for what is not used: {', '.join(sorted(unused))}")
    if not parser.parse_args().check:
        TARGET.write_text(text, encoding="utf-8")
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
        print(f"{TARGET.relative_to(ROOT)} is not what the locks say: run `make gen`")
        return 1
    return 1 if refused or unused else 0


def of_python() -> Iterator[Dependency]:
    """Yield what the locks of the run time name, for Linux."""
    for lock in LOCKS:
        for line in (ROOT / lock).read_text().splitlines():
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate(LINUX):
                found = metadata(wanted.name)
                yield Dependency(wanted.name, str(wanted.specifier).removeprefix("=="), licence_of(found))


def of_page() -> Iterator[Dependency]:
    """Yield what the lock of the web page names beside its tools."""
    lock: dict[str, dict[str, Any]] = json.loads((ROOT / "frontend/package-lock.json").read_text())["packages"]
    for path, package in lock.items():
        is_own = not path.startswith("node_modules/") or package.get("link")
        if not is_own and not package.get("dev") and not package.get("devOptional"):
            yield Dependency(path.removeprefix("node_modules/"), package["version"], package["license"])


def licence_of(package: PackageMetadata) -> str:
    """Return the expression, else the first line of what older packages say."""
    found = {name: package.get_all(name) or [] for name in ("License-Expression", "License", "Classifier")}
    if found["License-Expression"]:
        return str(found["License-Expression"][0])
    named = [str(one).splitlines()[0].strip() for one in found["License"] if one.strip()]
    named += [str(one).split(" :: ")[-1] for one in found["Classifier"] if one.startswith("License :: ")]
    return OLD_NAMES.get(named[0], named[0]) if named else "unknown"


def render(packages: list[Dependency], page: list[Dependency]) -> str:
    """Return the page."""
    reasons = "\n".join(f"- `{name}`: {reason}." for name, reason in EXCEPTIONS.items())
    listed = textwrap.fill(", ".join(sorted(ALLOWED)), 120)
    return f"""<!-- Generated by `make gen` from the locks and what the installed packages say of themselves. -->
# Licences

LoreSmith is under the MIT licence. It runs with the packages below, which are installed beside it, unchanged; none of
them is in its repository. `make check` fails when one comes with a licence other than
{listed},
but for these:

{reasons}

Texts of the licences come with the packages (`*.dist-info/licenses`, `node_modules/*/LICENSE`). Tools of development
are not part of what runs, and not listed; nor are Debian's packages in the base image.

## Python, on Linux

`requirements/runtime.txt` and `requirements/model.txt`; the latter is the file of the embedded model.

{table(packages)}
## The web page

What `frontend/package-lock.json` names beside tools; it is built into the page.

{table(page)}"""


def table(found: list[Dependency]) -> str:
    """Return a table of packages."""
    rows = "".join(
        f"| {one.name} | {one.version} | {one.licence} |\n" for one in sorted(found, key=lambda one: one.name)
    )
    return f"| package | version | licence |\n|---|---|---|\n{rows}"


if __name__ == "__main__":
    sys.exit(main())
