"""Messages that count things are written for several; this says them of one."""

from __future__ import annotations

_OF_ONE = (
    ("missing dates of birth were", "missing date of birth was"),
    ("dates of birth cannot", "date of birth cannot"),
    ("from other rows of", "from another row of"),
    ("rows are hidden", "row is hidden"),
    ("rows start and end", "row starts and ends"),
    ("rows give", "row gives"),
    ("rows have", "row has"),
    ("but give no", "but gives no"),
    ("isolated rows of", "isolated row of"),
    ("are older than", "is older than"),
    ("blank rows among the records were", "blank row among the records was"),
    ("children are", "child is"),
    ("placements start", "placement starts"),
    ("ages differ", "age differs"),
    ("end dates lie", "end date lies"),
    ("these rows count", "this row counts"),
    ("end dates far in the future (such as 31/12/9999) were", "end date far in the future "
     "(such as 31/12/9999) was"),
    ("dates lie", "date lies"),
    ("text dates were read as dates", "text date was read as a date"),
    ("dates with a two-digit year were", "date with a two-digit year was"),
    ("serial numbers were read as dates", "serial number was read as a date"),
    ("cells with a word for a blank (such as N/A) were", "cell with a word for a blank (such as "
     "N/A) was"),
    ("cells hold", "cell holds"),
    ("identifiers have lost their", "identifier has lost its"),
    ("identifiers have", "identifier has"),
    ("identifiers were turned into dates", "identifier was turned into a date"),
    ("identifiers are", "identifier is"),
    ("formulas refer", "formula refers"),
    ("they are", "it is"),
    ("they count", "it counts"),
    ("and were", "and was"),
    ("delete them if they are not", "delete it if it is not"),
)  # fmt: skip


def of_one(message: str) -> str:
    """Put a message that begins with the count 1 into the singular; others stay as they are.

    >>> of_one("1 children are not born yet, and were kept.")
    '1 child is not born yet, and was kept.'
    >>> of_one("1 of 20 children had a plan before this one.")
    '1 of 20 children had a plan before this one.'
    """
    if not message.startswith("1 ") or message.startswith("1 of "):
        return message
    for many, one in _OF_ONE:
        message = message.replace(many, one)
    return message
