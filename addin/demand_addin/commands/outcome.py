"""What a command gives back, and the only place where errors are caught."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from demand_addin.saving import BusyWorkbookError, NotSavedError
from demand_model.errors import DemandError, InvalidSettingError

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class ExitCode(IntEnum):
    """What the command line returns to whoever called it."""

    OK = 0
    MEND = 1
    """The lists, the settings or the workbook must be mended; see the message."""
    USAGE = 2
    """The command line itself is wrong."""
    NOT_WRITTEN = 3
    """The result could not be written, or the workbook is in use."""
    UNEXPECTED = 70
    """A fault of the product."""
    INTERRUPTED = 130
    """Stopped by the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command did.

    Attributes
    ----------
    command
        Its name on the command line.
    exit_code
        `ExitCode.OK` unless something must be mended.
    wrote
        Files that the command wrote, the most important first.
    sentences
        The summary in plain words, a line each.
    problem
        One sentence if the command did not do what was asked.
    details
        Lines that say where the problems are, each with its sheet and cell.
    record
        The same for machines.
    trace
        Where an unexpected error arose; holds no value from the workbook.
    """

    command: str
    exit_code: ExitCode = ExitCode.OK
    wrote: tuple[Path, ...] = ()
    sentences: tuple[str, ...] = ()
    problem: str = ""
    details: tuple[str, ...] = ()
    record: Mapping[str, Json] = field(default_factory=dict)
    trace: str = ""

    def to_json(self) -> dict[str, Json]:
        """Everything that a machine needs, in one object."""
        return {
            "command": self.command,
            "ok": self.exit_code is ExitCode.OK,
            "exit_code": int(self.exit_code),
            "wrote": [str(path) for path in self.wrote],
            "problem": self.problem,
            "details": list(self.details),
            "summary": list(self.sentences),
            **self.record,
        }


def attempt(command: str, work: Callable[[], Outcome]) -> Outcome:
    """Carry out a command; whatever goes wrong becomes one clear sentence.

    A message of this product carries no child's value. Those of other packages
    may: of an unexpected error only its kind and its place in the code are kept.
    """
    try:
        return work()
    except (NotSavedError, BusyWorkbookError) as error:
        return Outcome(command=command, exit_code=ExitCode.NOT_WRITTEN, problem=str(error))
    except InvalidSettingError as error:
        lines = tuple(str(error).splitlines())
        if len(lines) > 1:
            problem = f"{len(lines)} settings must be changed first; nothing was written."
            return Outcome(command=command, exit_code=ExitCode.MEND, problem=problem, details=lines)
        return Outcome(command=command, exit_code=ExitCode.MEND, problem=str(error))
    except DemandError as error:
        return Outcome(command=command, exit_code=ExitCode.MEND, problem=str(error))
    except KeyboardInterrupt:
        return Outcome(
            command=command,
            exit_code=ExitCode.INTERRUPTED,
            problem="Stopped. The workbook is as it was.",
        )
    except MemoryError:
        return Outcome(
            command=command,
            exit_code=ExitCode.MEND,
            problem="There is not enough memory for this; fewer simulated futures (sheet "
            "Settings) need less. The workbook is as it was.",
        )
    except Exception as error:
        return _unexpected(command, error)


def _unexpected(command: str, error: Exception) -> Outcome:
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    own = [frame for frame in frames if "demand_" in frame.filename] or [last]
    place = f"{Path(own[-1].filename).name}, line {own[-1].lineno}"
    return Outcome(
        command=command,
        exit_code=ExitCode.UNEXPECTED,
        problem=f"Something went wrong that is a fault of csc-demand, not yours "
        f"({type(error).__name__} in {place}); the workbook is as it was. "
        "Please report it with this sentence.",
        trace="".join(f"  {Path(f.filename).name}, line {f.lineno}, in {f.name}\n" for f in frames),
    )
