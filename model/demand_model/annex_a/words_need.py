"""Words for a case's status and for why an episode of need was closed (List 6)."""

from __future__ import annotations

from demand_model.annex_a.code_sets import CASE_STATUS, REASON_CLOSED
from demand_model.annex_a.vocabulary import Strength, Vocabulary, rule

CASE_STATUS_WORDS = Vocabulary(
    code_set=CASE_STATUS,
    rules=(
        rule(Strength.STRONG, ("Closed episode",), "closed(?: (?:case|episode|cin))?", "ceased"),
        rule(
            Strength.STRONG, ("Looked after child",),
            "looked after(?: child\\w*)?", "lac", "cla", "cic", "child\\w* in care",
            "child\\w* looked after",
        ),
        rule(
            Strength.STRONG, ("Child protection plan",),
            "child protection(?: plan)?", "cp(?: plan)?", "cpp",
        ),
        rule(
            Strength.STRONG, ("Open assessment",),
            "(?:open|in|under|current|continuous|single) assessment", "assessment",
        ),
        rule(
            Strength.STRONG, ("Child in need plan",),
            "child(?:ren)? in need(?: plan)?", "cin(?: plan)?",
        ),
    ),
)  # fmt: skip

REASON_CLOSED_WORDS = Vocabulary(
    code_set=REASON_CLOSED,
    rules=(
        rule(
            Strength.STRONG, "RC9",
            "closed after assessment referred to early help",
        ),
        rule(Strength.STRONG, "RC8 RC9", "(?:case )?closed after assessment"),
        rule(Strength.REFINE, "RC8", "no further action", "nfa"),
        rule(Strength.REFINE, "RC9", "early help"),
        rule(Strength.STRONG, "RC4", "special guardianship(?: order)?", "sgo"),
        rule(
            Strength.STRONG, "RC3",
            "child arrangements?(?: order)?", "residence order", "cao",
        ),
        rule(Strength.STRONG, "RC6", "(?:transfer\\w*)?.*adult(?: social)?(?: care)? services"),
        rule(Strength.STRONG, "RC5", "transfer\\w*.*(?:another|other) (?:local )?(?:authority|la)"),
        rule(
            Strength.STRONG, "RC7",
            "services ceased.*", "no longer in need", "child no longer in need",
        ),
        rule(Strength.WEAK, "RC7", "(?:any )?other reasons?"),
        rule(Strength.STRONG, "RC1", "adopted", "adoption"),
        rule(Strength.STRONG, "RC2", "died", "deceased", "death"),
    ),
)  # fmt: skip
