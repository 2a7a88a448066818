"""Words for placements and their providers.

Relatives, long term, fostering for adoption, consent and placement order each
allow several codes; together they leave one.
"""

from __future__ import annotations

from demand_model.annex_a.code_sets import PLACEMENT_PROVIDER, PLACEMENT_TYPE
from demand_model.annex_a.text import word_set
from demand_model.annex_a.vocabulary import Rule, Strength, Vocabulary, rule

_STRONG, _WEAK, _REFINE = Strength.STRONG, Strength.WEAK, Strength.REFINE

_FOSTER = "U1 U2 U3 U4 U5 U6"
_KIN = "U1 U2 U3"
_NOT_KIN = "U4 U5 U6"
_ADOPTION = "A3 A4 A5 A6"
_TEMPORARY = "T0 T1 T2 T3 T4"
_SUPPORTED = "H5 K3"

_LONG = r"(?:long ?term(?: foster\w*)?|lt|ltf|permanent)"
_FFA = (
    r"ffa|ffta|foster\w* (?:to|for) adopt\w*|concurrent(?: planning)?|appr\w* adopt\w*"
    r"|dual\w* approved|early permanence"
)
_CURRENT = r"(?:cur\w*|existing|present|same)"
_CARER = r"(?:foster\w*(?: carers?)?|fc|carers?)"
_OR = r"(?: or| and)*"

_ADOPTION_RULES: tuple[Rule, ...] = (
    rule(
        _REFINE, "A4 A6",
        rf"not (?:with |w )?(?:the |a )?{_CURRENT}(?: {_CARER})?", rf"not (?:with )?{_CARER}$",
        "(?:with )?new carers?",
    ),
    rule(_REFINE, "A3 A5", rf"(?:with |w )?(?:the )?{_CURRENT}(?: {_CARER})?"),
    rule(
        _REFINE, "U3 U6",
        rf"(?:not|non|no) (?:a )?(?:{_LONG}|{_FFA}|adopters?)"
        rf"(?:{_OR} (?:{_LONG}|{_FFA}|adopters?))*",
        "short term", "st",
    ),
    rule(_STRONG, "U2 U5", _FFA),
    rule(_REFINE, "A3 A4", r"(?:with |parental |guardian )*consent", r"s(?:ec\w*)? ?19"),
    rule(_REFINE, "A5 A6", r"pl\w*m\w*t ord\w*", "place ord", "po", r"s(?:ec\w*)? ?21"),
    # What follows adoption says with whom and how, and is read above.
    rule(_STRONG, _ADOPTION, r"(?:pl\w* )?(?:(?:4|for|with|w|in|prospective) )*adopt\w*.*", "pfa"),
)  # fmt: skip

_TEMPORARY_RULES: tuple[Rule, ...] = (
    rule(
        _STRONG, "T1",
        r"temp\w*(?: · | \w+)* hosp\w*.*", r"temp\w* · hosp\w*.*", r"hosp\w* temp\w*",
    ),
    rule(
        _STRONG, "T3",
        r"(?:temp\w*(?: ·| \w+)* )?(?:foster )?carers? (?:is |are )?(?:on )?hol\w*",
    ),
    rule(_STRONG, "T2", r"(?:temp\w*(?: ·| \w+)* )?holiday"),
    rule(_STRONG, "T4", r"(?:temp\w*(?: ·| \w+)* )?(?:seven|7) days?.*"),
    rule(_STRONG, "T0", r"(?:all )?types? of temp\w*.*", r"temp\w* moves?"),
    rule(_STRONG, _TEMPORARY, r"temp(?:orar\w*)?(?: (?:accom\w*|placements?|plcmt))?"),
)  # fmt: skip

_HOMES_RULES: tuple[Rule, ...] = (
    rule(
        _STRONG, "R5",
        r"young offend\w*(?: inst\w*)?", "(?:hm)?yois?", "ytc", r"youth treatment cent\w*",
        r"secure training cent\w*", "stc", r"prisons?", "hmp", r"(?:youth )?custody",
        r"youth detention(?: accom\w*)?", r"(?:remand|detention) cent\w*",
    ),
    rule(
        _STRONG, "K1",
        r"(?:welfare )?secure(?: (?:welfare|criminal|child\w*|units?|homes?|accom\w*|placements?"
        r"|estab\w*|residential))*",
    ),
    rule(_STRONG, _NOT_KIN, r"(?:parent|mother|m) and (?:baby|child|b) foster\w*.*"),
    rule(
        _STRONG, "R3",
        r"(?:residential )?fam\w* (?:assess\w* )?(?:cent\w*|units?|ctr)",
        r"(?:mother|mum|parent|m) (?:and |or )?(?:baby|child|b)"
        r"(?: (?:units?|placements?|homes?|assess\w*|cent\w*))*",
        "mb units?",
    ),
    rule(_STRONG, "S1", r"(?:res\w*|boarding)(?: special)? sch(?:ools?)?"),
    rule(_WEAK, "S1", "^schools?"),
    rule(_STRONG, "P3", r"res\w* employ\w*"),
    rule(
        _STRONG, _SUPPORTED,
        r"(?:(?:res\w* )?acc\w* |semi\w* indep\w*.* |hostels?(?: \w+)* )?not subj\w*(?: to)?.*",
    ),
    rule(
        _STRONG, "K2",
        r"(?:homes? )?(?:and |or )?(?:hostels? )?subj\w* (?:to )?(?:the )?(?:chr|ch|child\w*).*",
        r"homes? (?:and |or )?hostels?",
        r"child\w*(?: residential| res)?(?: care)? (?:homes?|hms?)",
        r"res\w* child\w* homes?", "(?:community|ch) homes?",
    ),
    # Supported, but in which of several codes is not said.
    rule(_STRONG, "H5 K3 P2", r"supported ind\w*(?: living)?", "supported lodgings?"),
    rule(
        _STRONG, _SUPPORTED,
        r"semi ?ind\w*(?: (?:living|liv|accom\w*|units?|acc))*",
        r"(?:support\w*|supp) (?:accom\w*|living|housing|hostels?|resid\w*|tenanc\w*)",
        "foyers?", "ymca", r"resid\w* acc\w*",
    ),
    rule(_WEAK, _SUPPORTED, "hostels?"),
    rule(_STRONG, "R1", r"res\w* care(?: homes?)?", "care homes?"),
    rule(_WEAK, "R1 K2", r"res\w* homes?"),
    rule(
        _STRONG, "R2",
        r"nhs(?: \w+)?", "health trusts?", "national health.*", "nursing care", "medical.*",
        r"med\w* (?:or |and )?nurs\w*(?: care)?(?: estab\w*)?",
    ),
    rule(_STRONG, "R2 T1", r"hosp\w*"),
)  # fmt: skip

_FAMILY_RULES: tuple[Rule, ...] = (
    rule(
        _STRONG, _NOT_KIN,
        rf"not with (?:family|relatives?|friends?)(?:{_OR} (?:family|friends?|relatives?))*",
        r"independent foster\w*(?: agency)?", "ifa", r"agency foster\w*(?: carers?)?",
        r"other f\w* carers?", r"in ?house foster\w*(?: carers?)?",
    ),
    rule(
        _STRONG, _KIN,
        rf"(?:relatives?|rel|family|fam){_OR} (?:friends?|frnd|fr)",
        rf"friends?{_OR} family", "kinship(?: care)?", r"reg(?:ulation)? 24",
        r"connected(?: (?:persons?|carers?|people))?",
    ),
    rule(_STRONG, _FOSTER, r"foster\w*(?: (?:carers?|care))*", "fost", "fp"),
    rule(_REFINE, "U1 U4", _LONG),
    rule(_WEAK, _KIN, "(?:with )?(?:a )?relatives?"),
    rule(_WEAK, _FOSTER, "carers?", "fc", "staying put"),
    rule(
        _STRONG, "P1",
        r"(?:person|adult|someone) with (?:pr|parental resp\w*)", r"parental resp\w*", "pwp",
        "(?:with |own |birth |at home with |home with )*parents?", "(?:placed )?at home",
        "with (?:birth )?(?:mother|father|mum|dad)",
    ),
    rule(
        _STRONG, "P2",
        r"ind\w* (?:living|liv|accom\w*)", r"living ind\w*", "bed ?sits?", "lodgings?",
        r"bed and breakfast(?: \w+)?", "b and b", "bb", r"own (?:flat|tenancy|accom\w*)",
    ),
    rule(
        _WEAK, "P2",
        r"flat(?! \d)", "independence", "independent", "(?:residing )?with friends",
    ),
    rule(_STRONG, "Z1", "other placements?", "^other$"),
    rule(_WEAK, "Z1", "(?:in )?refuge", "whereabouts (?:un)?known"),
)  # fmt: skip

PLACEMENT_TYPE_WORDS = Vocabulary(
    code_set=PLACEMENT_TYPE,
    ignored=(
        r"except where dual.*|(?:not|non) dual.*",
        r"or with a freeing order.*",
        r"not covered by.*|not listed.*",
        r"(?:not|non) secure",
        r"temp(?:orar\w*)? approv\w*",
    ),
    rules=(*_ADOPTION_RULES, *_TEMPORARY_RULES, *_HOMES_RULES, *_FAMILY_RULES),
    known_words=word_set(
        """
        accommodation adopter adopters adoption agency approved boarding breakfast carer carers
        centre children childrens concurrent connected consent current employment establishment
        family father foster fostered fostering friend friends health holiday homes hospital
        hostel hostels independence independent institute institution kinship living lodging
        lodgings medical mother national nursing offender offenders other parent parental parents
        permanent person persons placed placement placements planning prison regulations relative
        relatives residential responsibility school schools secure semi subject supported
        supportive temporary tenancy training
        """
    ),
)

PLACEMENT_PROVIDER_WORDS = Vocabulary(
    code_set=PLACEMENT_PROVIDER,
    ignored=(r"including (?:a )?regional adoption.*",),
    rules=(
        rule(
            _STRONG, "PR5",
            "not for profit", r"vol\w*(?:(?: or| and)* (?:third|3rd)(?: sector)?)?(?: sector)?",
            "(?:third|3rd) sector", r"charit\w*",
        ),
        rule(
            _STRONG, "PR2",
            r"(?:other|another|different) (?:local )?(?:la|las|authority|authorities|council)"
            r"(?: \w+)?",
            r"(?:la|local authority) (?:· )?other(?: \w+)?", "ola",
        ),
        rule(_STRONG, "PR3", "other public.*", r"public(?: prov\w*)?", "pct", "nhs", "health"),
        rule(
            _STRONG, "PR0",
            "(?:own |birth )?parents?(?: .*)?", "(?:person|adult) with (?:pr|parental.*)",
            r"parental resp\w*",
        ),
        rule(
            _STRONG, "PR1",
            r"own (?:prov\w*|la|local authority|authority|council)(?: (?:prov\w*|by.*))?",
            r"(?:la|local authority|council|borough) (?:· )?(?:own|prov\w*)(?: prov\w*| · own)?",
            r"in ?house(?: prov\w*)?", r"internal(?: prov\w*)?",
            "(?:this )(?:la|local authority|council)", "^(?:la|local authority|council)$",
        ),
        rule(_STRONG, "PR4", r"(?:priv\w*|pvt)(?: \w+)?", "(?:for|run for) profit"),
    ),
    known_words=word_set(
        """
        another authority charity council internal parent parental parents private provider
        provision public responsibility sector voluntary
        """
    ),
)  # fmt: skip
