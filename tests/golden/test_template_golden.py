"""`templates/demand-model.xlsx` is what the declaration builds, part by part.

Regenerate after a change of the layout, look at the diff and at every chart:
``csc-demand new NEW.xlsx``, then put it in the place of the old one.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from demand_addin.layout.template import build_template

pytestmark = pytest.mark.golden

TEMPLATE = Path(__file__).resolve().parents[2] / "templates" / "demand-model.xlsx"
_VOLATILE = re.compile(rb"<(AppVersion|dcterms:\w+)\b[^>]*>[^<]*</\1>")
"""What another version of XlsxWriter may write otherwise, to no effect."""


def parts_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: _VOLATILE.sub(b"", archive.read(name)) for name in archive.namelist()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    path = tmp_path_factory.mktemp("golden") / "demand-model.xlsx"
    build_template(path)
    return parts_of(path)


def test_the_parts_are_the_same(built):
    assert list(parts_of(TEMPLATE)) == list(built)


def test_every_part_is_in_step(built):
    golden = parts_of(TEMPLATE)
    assert [name for name in built if golden.get(name) != built[name]] == []
