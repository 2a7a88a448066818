"""Whatever goes wrong becomes one clear sentence and an exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from demand_addin.cells import SettingProblemsError
from demand_addin.commands.outcome import ExitCode, Outcome, attempt
from demand_addin.saving import BusyWorkbookError, NotSavedError
from demand_model.errors import InvalidInputError, InvalidSettingError, NotEnoughDataError

pytestmark = pytest.mark.unit


def failing(error: BaseException) -> Outcome:
    def work() -> NoReturn:
        raise error

    return attempt("run", work)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInputError("mend the list"), ExitCode.MEND),
        (InvalidSettingError("change the setting"), ExitCode.MEND),
        (NotEnoughDataError("no referrals"), ExitCode.MEND),
        (NotSavedError("disk full"), ExitCode.NOT_WRITTEN),
        (BusyWorkbookError("in use"), ExitCode.NOT_WRITTEN),
    ],
)
def test_errors_of_the_product_keep_their_sentence(error: Exception, code: ExitCode) -> None:
    outcome = failing(error)
    assert (outcome.exit_code, outcome.problem, outcome.trace) == (code, str(error), "")


def test_several_settings_are_a_sentence_and_a_line_each() -> None:
    outcome = failing(SettingProblemsError(("Settings!B6: a", "Settings!B7: b")))
    assert outcome.problem == "2 settings must be changed first; nothing was written."
    assert outcome.details == ("Settings!B6: a", "Settings!B7: b")


def test_an_unexpected_error_keeps_its_kind_and_place_but_no_value() -> None:
    outcome = failing(ValueError("born 01/02/2015"))
    assert outcome.exit_code is ExitCode.UNEXPECTED
    assert "ValueError in " in outcome.problem
    assert "2015" not in json.dumps(outcome.to_json()) + outcome.trace
    assert "test_cli_outcome.py" in outcome.trace


def test_a_minus_stays_a_minus_where_the_console_knows_few_characters() -> None:
    code = (
        "import sys; from demand_addin import cli; cli.cli = lambda: print('−9 to –, “x” ☃'); "
        "cli.main()"
    )
    environment = os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env=environment
    )
    assert done.stdout.decode("cp1252").strip() == "-9 to –, “x” ?"


def test_interrupts_and_memory_are_said_in_words() -> None:
    assert failing(KeyboardInterrupt()).exit_code is ExitCode.INTERRUPTED
    memory = failing(MemoryError())
    assert memory.exit_code is ExitCode.MEND
    assert "not enough memory" in memory.problem


def test_an_outcome_is_one_object_for_machines() -> None:
    outcome = Outcome(command="run", wrote=(Path("b.xlsx"),), record={"seed": 5})
    found = json.loads(json.dumps(outcome.to_json()))
    assert found == {
        "command": "run",
        "ok": True,
        "exit_code": 0,
        "wrote": ["b.xlsx"],
        "problem": "",
        "details": [],
        "summary": [],
        "seed": 5,
    }
