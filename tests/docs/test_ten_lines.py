"""The notebook example of the documentation, run as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from demand_model import check
from demand_samples.extract import annex_a
from demand_samples.presets import authority
from demand_samples.simulate import simulate_authority

pytestmark = pytest.mark.docs

ROOT = Path(__file__).resolve().parents[2]


def blocks() -> list[str]:
    text = (ROOT / "docs" / "notebook-example.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


def run(code: str, **given: Any) -> dict[str, Any]:
    names = dict(given)
    exec(compile(code, "notebook-example.md", "exec"), names)  # noqa: S102 - our own documentation
    return names


def test_the_job_takes_ten_lines() -> None:
    lines = [line for line in blocks()[0].splitlines() if line.strip()]
    assert len(lines) <= 10


def test_the_ten_lines_forecast_a_sample(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    names = run(blocks()[0])
    forecast = names["forecast"]
    assert names["checked"].lists is not None
    assert set(forecast.table["scenario"]) == {s.scenario.name for s in names["trajectories"]}
    assert len(forecast.headlines) == 10
    assert capsys.readouterr().out.startswith("Children in care: ")


def test_lists_that_are_data_frames_go_in_by_from_frame() -> None:
    history = simulate_authority(
        authority("small"), seed=2, years_before=6, detail_years=4, months_after=0
    )
    frames = annex_a(history, history.census_date)
    names = run("import demand_model as dm\n" + blocks()[1], frames=frames)
    direct = check(frames)
    assert names["checked"].lists is not None
    assert direct.lists is not None
    assert len(names["checked"].lists.care) == len(direct.lists.care)
