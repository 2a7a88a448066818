"""Words of the yes/no columns: truth values, NFA and UASC."""

from __future__ import annotations

from demand_model.annex_a.code_sets import (
    REFERRAL_NFA,
    UASC,
    YES_NO,
    YES_NO_UNKNOWN,
    CodeSet,
)
from demand_model.annex_a.vocabulary import Rule, Strength, Vocabulary, rule

_TRUTH = (
    rule(Strength.STRONG, "Yes", "^1$", "^1 (?=y)", "^y$", "y(?= )", "yes", "true"),
    rule(Strength.STRONG, "No", "^0$", "^0 (?=n)", "^n$", "n(?= )", "no", "false"),
)


def _yes_no(code_set: CodeSet, *rules: Rule) -> Vocabulary:
    return Vocabulary(code_set=code_set, rules=(*rules, *_TRUTH))


REFERRAL_NFA_WORDS = _yes_no(
    REFERRAL_NFA,
    rule(
        Strength.STRONG, "No",
        "(?:not|non|no|isnt) (?:an? )?nfa", "^further action(?: required| taken)?$", "^fa$",
    ),
    rule(
        Strength.STRONG, "Yes",
        "nfa", "nfad", "no (?:further|futher|furth) act\\w*", "closed nfa",
    ),
)  # fmt: skip

UASC_WORDS = _yes_no(
    UASC,
    rule(Strength.STRONG, "No", "(?:not|non|no) (?:an? )?(?:uasc|unaccompanied.*)"),
    rule(
        Strength.STRONG, "Yes",
        "uasc", "unaccompanied asylum seek\\w*(?: child\\w*)?(?: uasc)?",
    ),
)  # fmt: skip

YES_NO_WORDS = _yes_no(YES_NO)
YES_NO_UNKNOWN_WORDS = _yes_no(
    YES_NO_UNKNOWN, rule(Strength.STRONG, "Unknown", "unknown", "not known", "nk")
)
