"""What the guides show and tell is what there is: pictures, buttons, the offline recipe."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from demand_addin.closed import ClosedWorkbook
from demand_addin.launcher.actions import ACTIONS
from demand_addin.layout.template import build_template
from demand_addin.layout.what_if import FACTS
from demand_addin.ports import BookPlan, RangeValues
from demand_addin.what_if_sheet import read_what_if
from demand_model.results.what_if_levers import WhatIfLevers

pytestmark = pytest.mark.docs

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GUIDE = (DOCS / "user-guide.md").read_text(encoding="utf-8")
IT_PAGE = (DOCS / "it-and-information-governance.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")


def plain(text: str) -> str:
    return " ".join(text.split())


# ---------------------------------------------------------------- pictures


def shown() -> set[Path]:
    return {
        (page.parent / target).resolve()
        for page in PAGES
        for target in re.findall(
            r"!\[[^\]]{20,}\]\(([^)]+)\)", page.read_text(encoding="utf-8"), re.DOTALL
        )
    }


def test_every_picture_is_shown_somewhere_with_words_for_who_cannot_see_it() -> None:
    made = {path.resolve() for path in (DOCS / "images").iterdir()}
    assert len(made) > 10
    assert made == shown()


def test_the_picture_of_what_if_shows_what_a_moved_cell_does(tmp_path: Path) -> None:
    """As the words below it say; at neutral both lines would be one."""
    found = spec_from_file_location("pictures", DOCS / "pictures.py")
    assert found is not None
    assert found.loader is not None
    pictures = module_from_spec(found)
    found.loader.exec_module(pictures)
    book = tmp_path / "book.xlsx"
    build_template(book)
    neutral = read_what_if(ClosedWorkbook.open(with_census(book)))
    assert neutral.moved == ()
    pictures.move_levers(book)
    moved = read_what_if(ClosedWorkbook.open(book)).levers
    assert moved == WhatIfLevers(care_ends_home=0.2)
    assert "20% more children go home from care" in plain(GUIDE)


def with_census(book: Path) -> Path:
    opened = ClosedWorkbook.open(book)
    day = RangeValues(name=FACTS["census_date"].name, rows=((date(2026, 9, 30),),))
    opened.write(BookPlan(ranges=(day,)))
    book.write_bytes(opened.to_bytes())
    return book


def test_every_picture_is_made_by_a_command() -> None:
    makers = "".join(path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.py")))
    names = {path.stem for path in (DOCS / "images").iterdir()}
    assert {name for name in names if name not in makers} == set()


# ---------------------------------------------------------------- buttons


def ribbon_buttons() -> list[str]:
    tree = ET.parse(ROOT / "addin" / "ribbon" / "customUI14.xml")  # noqa: S314  (our own file)
    return [
        node.get("label", "")
        for node in tree.iter("{http://schemas.microsoft.com/office/2009/07/customui}button")
    ]


def test_the_guide_names_every_button_of_the_ribbon_in_its_order() -> None:
    told = re.search(r"a tab \*Demand model\*: ([^.]+)\.", plain(GUIDE))
    assert told is not None
    assert told.group(1).split(", ") == list(dict.fromkeys(ribbon_buttons()))


def test_the_launcher_has_the_ribbons_buttons() -> None:
    labels = {action.label.rstrip("…") for action in ACTIONS}
    assert labels == set(ribbon_buttons())


# ---------------------------------------------------------------- what the guide owns up to


def test_the_guide_says_how_near_what_if_comes_and_where_it_ends() -> None:
    part = plain(GUIDE.partition("## What if")[2].partition("## ")[0])
    for words in ("about 1%", "chance can exceed it", "first 60 months", "Enable Editing"):
        assert words in part
    assert "within 1%" not in part


def test_the_guide_says_which_rates_are_no_formula() -> None:
    told = (
        "Three flows are fitted by other means, and their rates are plain figures: referrals, "
        "referrals that lead to a plan, referrals that lead to care."
    )
    assert told in plain(GUIDE)


# ---------------------------------------------------------------- the offline recipe


def constraints() -> dict[str, list[Requirement]]:
    lines = [
        line.removesuffix("\\").strip()
        for line in CONSTRAINTS.splitlines()
        if line and not line.startswith(("#", " "))
    ]
    found: dict[str, list[Requirement]] = {}
    for requirement in map(Requirement, lines):
        found.setdefault(requirement.name, []).append(requirement)
    return found


def test_constraints_hold_every_dependency_at_a_version_that_it_allows() -> None:
    pinned = constraints()
    wanted = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
    assert len(wanted) > 5
    for requirement in wanted:
        for pin in pinned[requirement.name]:
            (exact,) = pin.specifier
            assert exact.operator == "=="
            assert requirement.specifier.contains(exact.version), pin


def test_constraints_pin_the_versions_that_development_uses() -> None:
    """Each line of constraints.txt is one of pyproject.toml's pins, under the same Python."""
    pins: dict[str, set[SpecifierSet]] = {}
    for text in PROJECT["tool"]["uv"]["constraint-dependencies"]:
        requirement = Requirement(text)
        pins.setdefault(requirement.name, set()).add(requirement.specifier)
    for name, requirements in constraints().items():
        assert {one.specifier for one in requirements} == pins[name], name


def test_every_line_of_the_constraints_has_hashes() -> None:
    blocks = re.split(r"^(?=[a-z])", CONSTRAINTS, flags=re.MULTILINE)[1:]
    assert len(blocks) == sum(map(len, constraints().values()))
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", block) for block in blocks)


def test_the_recipe_makes_the_wheel_that_it_carries_across() -> None:
    project = PROJECT["project"]
    wheel = f"{project['name'].replace('-', '_')}-{project['version']}-py3-none-any.whl"
    recipe = IT_PAGE.partition("## Installing without internet")[2].partition("## ")[0]
    built, named = recipe.find("uv build --wheel --out-dir wheels"), recipe.find(wheel)
    assert 0 < built < named < recipe.find("--no-deps csc-demand")
    assert recipe.count("--no-index --find-links wheels") == 2
    force = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert all((ROOT / folder).is_dir() for folder in force)
