"""The packages that a script imports, with the versions that this project uses."""

import importlib.metadata
import re
import tomllib

from cookbook.notebooks.script_parts import IDLE
from cookbook.pages.catalogue import ROOT
from cookbook.takeaway.bundle import packages_of


def requirements_of(script: str) -> list[str]:
    """Requirements such as "keras>=3.15.1,<3.16" for all that a script imports."""
    known = {}
    for requirement in _requirements():
        known[_package(requirement)] = requirement

    packages = " ".join(packages_of(script)).split()
    needed = set(map(_package, packages))
    needed.discard(IDLE)
    return [known.get(package, package) for package in sorted(needed)]


def _requirements() -> list[str]:
    """What the project requires, with its extras."""
    project = ROOT / "pyproject.toml"
    if not project.is_file():  # an installed copy
        found = importlib.metadata.requires("keras-cookbook") or []
        return [requirement.split(";")[0].strip() for requirement in found]

    text = project.read_text(encoding="utf-8")
    table = tomllib.loads(text)["project"]
    found = list(table.get("dependencies", []))
    for extra in table.get("optional-dependencies", {}).values():
        found += extra
    return found


def _package(requirement: str) -> str:
    """The name of the package that a requirement names, in one spelling."""
    (name,) = re.findall(r"^[\w.-]+", requirement)
    return name.lower().replace("_", "-")
