"""How well real spellings are decoded: right, unmapped and wrong, column by column.

The spellings are what authorities typed, each with the group that a regional
team gave it (`../shared/annex-a/value-aliases.csv`). Groups are compared case
aside. A few of the labels are wrong; they are listed in `DISPUTED` with the
reason, and the table is given with and without them.

Run ``python benchmarks/alias_exam.py [FILE]``.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from demand_model.annex_a import decode, group

DEFAULT_FILE = Path(__file__).resolve().parents[1] / "../shared/annex-a/value-aliases.csv"

SOURCE = "Referral Source"
NEED = "Child's Category of Need"
UASC = "Unaccompanied Asylum Seeking Child (UASC) within the Last 12 Months (Y/N)"
PROVIDER = "Placement Provider"
PLACEMENT = "Placement Type"
REASON = "Reason Ceased to be Looked After"

DISPUTED: Mapping[tuple[str, str], str] = {
    (SOURCE, "Fire Brigade"): (
        "labelled Individual; the file's own Fire Service and Fire & Rescue are Other"
    ),
    (
        SOURCE,
        "Nursing-School Nurse",
    ): "labelled Schools; a school nurse is official code 3C, health",
    (SOURCE, "HCC Adult Services Dept (not OoH)"): (
        "labelled Health services; adults' social care is official code 5A"
    ),
    (SOURCE, "Other Agencies"): "labelled Health services; the words say Other",
    (SOURCE, "Home Start"): "labelled Housing; a charity, official code 8",
    (SOURCE, "LA Services - HSC"): "labelled Housing; the words say LA services",
    (SOURCE, "Sure Start (Children's Centre)"): (
        "labelled LA Services; official code 8 names children's centres"
    ),
    (SOURCE, "Health Services - Other Primary"): (
        "labelled LA services; official code 3D is other primary health services"
    ),
    (SOURCE, "70) Legal Agency - Court"): "labelled LA services; official code 7 names courts",
    (SOURCE, "COMMUNITY MENTAL HEALTH TEAM."): "labelled Police; a health team",
    (SOURCE, "Probation / CRC"): "labelled Police; official code 7 names probation",
    (SOURCE, "Probation Service"): "labelled Police; official code 7 names probation",
    (SOURCE, "Youth Offending Service (YOS)"): (
        "labelled Police; official code 5B names youth offending"
    ),
    (SOURCE, "7 - Law - Other (Including Courts, CAFCASS)"): (
        "labelled Police; code and words both say other legal agency"
    ),
    (SOURCE, "Member of the Public"): "labelled Other legal agency; an individual, code 1D",
    (SOURCE, "MP / Councillor"): (
        "labelled Other; official code 1D names MPs, and the file labels MP/Councillor Individual"
    ),
    (SOURCE, "OLA Social Services"): "labelled Other; another authority is official code 5C",
    (SOURCE, "Other OLA"): "labelled Other; another authority is official code 5C",
    (
        SOURCE,
        "29) Other Local Authority Dept (not Lbh) - E.g. Other La Social Services",
    ): "labelled Other; another authority is official code 5C",
    (SOURCE, "Other (including strangers, MPs)"): (
        "labelled Other; the official words of code 1D, Individual"
    ),
    (SOURCE, "Public (Other Individual)"): "labelled Other; the words say individual",
    (
        SOURCE,
        "21) Lbh Other Internal Dept (excluding Social Care And Housing E.g. Yos)",
    ): "labelled Other; the official words of code 5B, LA services",
    (SOURCE, "Code 'POLICE' is not mapped"): "labelled Police; an error message of a tool",
    (NEED, "Code 'NWAS' is not mapped"): "labelled acute stress; an error message of a tool",
    (UASC, "CLA"): "labelled False; says nothing of asylum",
    (UASC, "Non-CLA"): "labelled True; says nothing of asylum",
    (PROVIDER, "PR0: Provision by own parents or other person with parental responsibility"): (
        "labelled Own LA; code and words both say parents, group Other"
    ),
    (PLACEMENT, "F1 - Placement with relative or friend (in boundary)"): (
        "labelled Other placements; F1 was foster placement, as elsewhere in the file"
    ),
    (PLACEMENT, "F5 - Placement with carer (by council - outside boundary)"): (
        "labelled Other placements; F5 was foster placement, as elsewhere in the file"
    ),
    (PLACEMENT, "F6 - Placement with carer (through agency - outside boundary)"): (
        "labelled Other placements; F6 was foster placement, as elsewhere in the file"
    ),
    (
        PLACEMENT,
        "H5 IN - Residential accommodation not subject to Children's Homes Regulations (in LA)",
    ): "labelled Other placements; code and words both say H5",
    (
        PLACEMENT,
        "H5OUT - Residential accommodation not subject to Children's Homes Regulations (outside "
        "LA)",
    ): "labelled Other placements; code and words both say H5",
    (PLACEMENT, "Supported Accommodation"): (
        "labelled Independent living; since 2023 the official words of code K3"
    ),
    (
        REASON,
        "Age assessment determined child is aged 18 or over and E5, E6 and E7 do not apply e.g. "
        "an unaccompanied asylum seeking child who",
    ): "labelled any other reason; the official words of code E15",
    (
        REASON,
        "Aged 18 (or over) and remained with current carers (inc under staying put arrangements)",
    ): "labelled any other reason; the official words of E17, which the file groups with E13",
}
"""Labels of the file held to be wrong: (column, raw value) to the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """One raw value and the group that the file gives it."""

    list_number: int
    column: str
    raw_value: str
    group: str

    @property
    def disputed(self) -> bool:
        """Whether its label is held to be wrong."""
        return (self.column, self.raw_value) in DISPUTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Spellings of one column by outcome."""

    column: str
    right: int
    unmapped: int
    wrong: tuple[str, ...]

    @property
    def total(self) -> int:
        """All spellings examined."""
        return self.right + self.unmapped + len(self.wrong)

    @property
    def share_right(self) -> float:
        """Share mapped to the file's group, 0 to 1."""
        return self.right / self.total

    @property
    def share_wrong(self) -> float:
        """Share mapped to another group, 0 to 1."""
        return len(self.wrong) / self.total


def read_spellings(path: Path) -> list[Spelling]:
    """The spellings of the file, in order."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Spelling(
                list_number=int(row["list"].removeprefix("List ")),
                column=row["column"],
                raw_value=row["raw_value"],
                group=row["group"],
            )
            for row in csv.DictReader(file)
        ]


def examine(spellings: Iterable[Spelling]) -> dict[str, Score]:
    """Score each column of the spellings given."""
    outcomes: dict[str, tuple[list[str], list[str], list[str]]] = {}
    for spelling in spellings:
        right, unmapped, wrong = outcomes.setdefault(spelling.column, ([], [], []))
        found = decode(spelling.list_number, spelling.column, spelling.raw_value)
        named = group(spelling.list_number, spelling.column, found)
        if named is None:
            unmapped.append(spelling.raw_value)
        elif named.casefold() == spelling.group.casefold():
            right.append(spelling.raw_value)
        else:
            wrong.append(spelling.raw_value)
    return {
        column: Score(column=column, right=len(right), unmapped=len(unmapped), wrong=tuple(wrong))
        for column, (right, unmapped, wrong) in outcomes.items()
    }


def main(path: Path) -> None:
    """Print the table, with and without the disputed labels."""
    spellings = read_spellings(path)
    as_labelled = examine(spellings)
    undisputed = examine(s for s in spellings if not s.disputed)
    print(f"{len(spellings):,} spellings, {sum(s.disputed for s in spellings)} labels disputed")
    print(f"{'':34}{'as labelled':>26}{'without disputed labels':>34}")
    header = f"{'spellings':>10}{'right %':>9}{'wrong %':>9}"
    print(f"{'column':34}{header}   {header}")
    for column, score in as_labelled.items():
        cells = [
            f"{s.total:>10}{100 * s.share_right:>9.1f}{100 * s.share_wrong:>9.2f}"
            for s in (score, undisputed[column])
        ]
        print(f"{column[:32]:34}{cells[0]}   {cells[1]}")
    left = [(s.column, value) for s in undisputed.values() for value in s.wrong]
    print("Wrong and not disputed:", "; ".join(f"{c}: {v}" for c, v in left) or "none")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FILE)
