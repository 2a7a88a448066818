"""Words for a child's category of need and category of abuse."""

from __future__ import annotations

from demand_model.annex_a.code_sets import CATEGORY_OF_ABUSE, CATEGORY_OF_NEED
from demand_model.annex_a.text import word_set
from demand_model.annex_a.vocabulary import Strength, Vocabulary, rule

_MULTIPLE = ("Multiple/not recommended",)

CATEGORY_OF_ABUSE_WORDS = Vocabulary(
    code_set=CATEGORY_OF_ABUSE,
    rules=(
        # Four flags in the order neglect, physical, sexual, emotional.
        rule(Strength.STRONG, ("Neglect",), "^ynnn$"),
        rule(Strength.STRONG, ("Physical abuse",), "^nynn$"),
        rule(Strength.STRONG, ("Sexual abuse",), "^nnyn$"),
        rule(Strength.STRONG, ("Emotional abuse",), "^nnny$"),
        rule(Strength.HEAD, _MULTIPLE, "^(?=[yn]*y[yn]*y)[yn]{4}$"),
        rule(
            Strength.HEAD, _MULTIPLE,
            "multiple", "multi", "mult", "mul", "mixed", "not recommended", "combin\\w*",
            "more than one",
            # Two different categories in one cell.
            "(?=.*\\bneg)(?=.*\\bphy).*", "(?=.*\\bneg)(?=.*\\b(?:sex|sab)).*",
            "(?=.*\\bneg)(?=.*\\bemo).*", "(?=.*\\bphy)(?=.*\\b(?:sex|sab)).*",
            "(?=.*\\bphy)(?=.*\\bemo).*", "(?=.*\\b(?:sex|sab))(?=.*\\bemo).*",
        ),
        rule(Strength.STRONG, ("Neglect",), "neg(?:lect\\w*)?"),
        rule(Strength.STRONG, ("Physical abuse",), "phy(?:s|sical\\w*)?"),
        rule(Strength.STRONG, ("Sexual abuse",), "sex(?:ual\\w*)?", "sab"),
        rule(Strength.STRONG, ("Emotional abuse",), "emo(?:t|tion\\w*)?"),
    ),
    known_words=word_set(
        """
        emotional multiple neglect neglected physical recommended sexual
        """
    ),
)  # fmt: skip

_UNWELL = "(?:ill(?:ness)?|disab\\w*|ill health)"
_ILL = (
    "(?:ill(?:ness)?|disab\\w*|ill health|health|alcohol\\w*|drugs?|substance|addict\\w*|learning)"
)

CATEGORY_OF_NEED_WORDS = Vocabulary(
    code_set=CATEGORY_OF_NEED,
    ignored=("in need of protection", "no child in the case"),
    rules=(
        # Official names at the start: an authority's own sub-category follows.
        rule(Strength.HEAD, "N1", "^abuse (?:or|and)? ?neglect"),
        rule(Strength.HEAD, "N4", "^(?:family in )?acute stress", "^family in acute"),
        rule(Strength.HEAD, "N5", "^family d[iy]sf\\w*"),
        rule(Strength.HEAD, "N6", "^socially unaccept\\w*"),
        rule(Strength.HEAD, "N7", "^low income"),
        rule(Strength.HEAD, "N8", "^absent parent\\w*"),
        rule(
            Strength.STRONG, "N9",
            "(?:cases?|children)? ?other than (?:a )?(?:child(?:ren)? in need|cin)",
            "not (?:a )?(?:cin|child(?:ren)? in need)", "child(?:ren)? not in need",
            "no longer a child in need.*",
            "non cin", "step ?parent adoption", "adoption support", "support after adoption",
        ),
        rule(
            Strength.STRONG, "N0",
            "(?:need )?(?:code )?not (?:yet )?(?:stated|specified|recorded|known|determined)",
        ),
        rule(
            Strength.STRONG, "N8",
            "absent parent\\w*", "parental absence", "absence of parents?",
            "(?:parents?|parental) absent",
        ),
        rule(
            Strength.STRONG, "N3",
            f"parent\\w*(?: or| and| carers?)* {_UNWELL}(?:(?: or| and)* {_UNWELL})*",
            f"{_UNWELL}(?: or| and)* {_UNWELL} of parents?",
            "capacity of their parents or carers.*",
        ),
        rule(
            Strength.STRONG, "N4",
            "acute(?: family)? (?:di)?stress", "fam\\w* (?:in )?(?:acute )?(?:di)?stress",
        ),
        rule(
            Strength.STRONG, "N5", "fam\\w* d[iy]sf\\w*", "d[iy]sf\\w* fam\\w*"
        ),
        rule(
            Strength.STRONG, "N6",
            "(?:soc\\w* )?unaccept\\w*(?: behav\\w*)?", "anti ?social behav\\w*",
            "behaviour impacting detrimentally.*",
        ),
        rule(
            Strength.STRONG, "N7",
            "low (?:family )?income", "income below.*",
        ),
        rule(Strength.STRONG, "N1", "abuse (?:or|and)? ?neglect", "abuse neglect\\w*"),
        rule(
            Strength.STRONG, "N2",
            "chil\\w*(?: (?:with|who (?:is|are)))?(?: an?)?(?: multiple| sensory| physical"
            f"| learning| severe)* (?:disab\\w*|illness)(?:(?: or| and)* {_ILL})*",
            "disab\\w* (?:or illness )?(?:of )?child\\w*",
        ),
        rule(Strength.STRONG, "N8", "uasc", "unaccompanied.*"),
        # Words of authorities' own sub-categories: they never speak against a code.
        rule(
            Strength.WEAK, "N3",
            f"parent\\w*(?: or| and| carers?)*(?: chronic| mental| physical| physically)* {_ILL}"
            f"(?:(?: or| and)* {_ILL})*",
            f"(?:mental )?{_ILL} (?:·|of)? ?parents?(?: carer)?",
            "whose parents abuse (?:alcohol|drugs?|substances)", "alcoholic parents?",
        ),
        rule(Strength.WEAK, "N1 N5", "domestic (?:abuse|violence)"),
        rule(
            Strength.WEAK, "N1",
            "neglect", "(?:sexual|physical|emotional) (?:abuse|harm|injury)",
            "abuse", "cse", "exploitation", "fgm",
        ),
        rule(Strength.WEAK, "N2", "disab\\w*", "learning difficult\\w*", "autis\\w*", "asd"),
        rule(
            Strength.WEAK, "N6",
            "offending", "offender", "disorderly behav\\w*", "youth offend\\w*",
        ),
        rule(Strength.WEAK, "N4 N7", "financial (?:difficult\\w*|problems?|hardship)"),
        rule(Strength.WEAK, "N7", "no recourse(?: to public funds?)?", "nrpf"),
        rule(Strength.WEAK, "N8", "abandon\\w*", "^abp(?= )"),
        rule(Strength.WEAK, "N1", "^abs(?= )"),
        rule(Strength.WEAK, "N2", "^dis(?= )"),
        rule(Strength.WEAK, "N3", "^par(?= )"),
        rule(Strength.WEAK, "N5", "^fds(?= )"),
        rule(Strength.WEAK, "N6", "^bhv(?= )"),
        rule(Strength.WEAK, "N4", "family crisis", "temporary crisis.*"),
    ),
    known_words=word_set(
        """
        absence absent abuse acute behaviour behaviours children childs disabilities disability
        disabled domestic dysfunction dysfunctional emotional families family health illness
        income learning mental neglect parent parental parenting parents physical sexual
        socially specified stated stress unacceptable
        """
    ),
)  # fmt: skip
