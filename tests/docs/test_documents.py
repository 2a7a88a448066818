"""What the documents promise: commands run, links lead somewhere, examples give what they say."""

import doctest
import importlib
import pkgutil
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType

import pytest

import demand_addin
import demand_model
from demand_addin.cli import main

pytestmark = pytest.mark.docs

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def modules() -> list[ModuleType]:
    names = [
        info.name
        for package in (demand_model, demand_addin)
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    return [importlib.import_module(name) for name in names if not name.endswith("__main__")]


def command(*words: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["csc-demand", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def test_the_two_commands_are_those_of_the_readme() -> None:
    assert "pip install uv && uv run csc-demand demo" in README
    assert "pip install uv && uv run pytest" in README
    assert "uv run pytest" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_tour_runs_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    sample = (ROOT / "samples" / "workbooks" / "middling.xlsx").read_bytes()
    Path("Annex A March 2026.xlsx").write_bytes(sample)
    tour = re.search(r"## Five-minute tour\n\n```\n(.*?)```", README, flags=re.DOTALL)
    assert tour is not None
    lines = [line.split("   ")[0] for line in tour.group(1).strip().splitlines()]
    lines = [re.sub(r"\.xlsx\" copy .*", '.xlsx"', line) for line in lines]
    tried = ["new", "import", "check", "run", "backtest", "levers", "xmile"]
    assert [shlex.split(line)[1] for line in lines] == [*tried, "launcher"]
    for line in lines[:-1]:  # a window waits for somebody: test_launcher_window has it
        words = shlex.split(line)[1:]
        extra = ["--draws", "100"] if words[0] in tried[3:] else []
        assert command(*words, *extra, monkeypatch=monkeypatch) == 0
    assert "Children in care: 320 today; " in capsys.readouterr().out


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text)
    ours = [target for target in targets if not target.startswith("http")]
    assert [target for target in ours if not (document.parent / target).exists()] == []


def test_doctests_hold() -> None:
    tried = 0
    for module in modules():
        result = doctest.testmod(module)
        assert result.failed == 0, module.__name__
        tried += result.attempted
    assert tried >= 10


def test_every_rule_of_a_flow_is_in_the_method() -> None:
    method = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    for words in ("Little", "Clayton", "Keiding", "hidden need", "Student t", "families"):
        assert words in method
