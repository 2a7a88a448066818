"""Words for legal statuses and for reasons why care ceased."""

from __future__ import annotations

from demand_model.annex_a.code_sets import LEGAL_STATUS, REASON_CEASED
from demand_model.annex_a.text import word_set
from demand_model.annex_a.vocabulary import Rule, Strength, Vocabulary, rule

_STRONG, _REFINE = Strength.STRONG, Strength.REFINE

LEGAL_STATUS_WORDS = Vocabulary(
    code_set=LEGAL_STATUS,
    ignored=(
        r"including secure.*|not individual.*",
        r"(?:in|into|and)? ?(?:la|local authority) accom\w*",
    ),
    rules=(
        rule(_STRONG, "C1", "ico", r"int\w* (?:care orders?|co)"),
        rule(_STRONG, "C2", "fco", "full (?:care orders?|co)", "care order full"),
        rule(_STRONG, "E1", r"plac\w* order(?: granted)?"),
        rule(_STRONG, "D1", "freeing order(?: granted)?", "freed for adoption"),
        rule(_STRONG, "L2", "epo", "emergency protection(?: order)?(?: epo)?"),
        rule(_STRONG, "L1", "police (?:protection|powers?)"),
        rule(_STRONG, "L3", "child assessment order"),
        rule(_STRONG, "J2", "pace"),
        rule(_STRONG, "J3", r"youth rehab\w*(?: order)?", "yro"),
        rule(_STRONG, "J1", r"remand\w*(?: .*)?"),
        rule(_REFINE, "V3", r"episodes?(?: \w+)* recorded", "individual episodes"),
        rule(_REFINE, "V4", r"agreements?(?: \w+)* recorded", "agreements?"),
        rule(_STRONG, "V3 V4", "(?:series of )?short(?: term)? breaks?"),
        rule(
            _STRONG, "V2",
            r"(?:single period.*)?(?:under )?s(?:ec\w*)? ?20(?: .*)?", "single period.*",
            "accommodated",
        ),
        rule(_STRONG, "C2", "care orders?"),
    ),
    known_words=word_set(
        """
        accommodated accommodation assessment emergency freeing interim period placement police
        protection rehabilitation remand remanded section single
        """
    ),
)  # fmt: skip

_SGO = "E45 E46 E47 E48"
_KIN = r"(?:relatives?|rel|friends?)"
_OTHER_LA = r"(?:other|another|different) (?:la|las|local|authority|council)"
_NO_ORDER = r"(?:sg\w*|ro|cao|res\w* order|special g\w*|child arr\w*|orders?)"

_ENDINGS: tuple[Rule, ...] = (
    rule(_STRONG, "X1", "episode ceases.*", "new episode.*"),
    rule(
        _STRONG, "E15",
        r"age assess\w*.*", r"age disput\w*.*", "assessed (?:as )?(?:an? )?(?:adult|over 18).*",
    ),
    rule(
        _STRONG, "E17",
        r"(?:aged? |turned )?(?:18 )?(?:plus |or over |and )*(?:remain\w*|stay\w*) with "
        r"(?:current|former|foster)(?: foster)? carers?.*",
        "staying put(?: .*)?",
    ),
    rule(_STRONG, "E2", "died", "deceased", "death(?: .*)?", "dead", "rip", "passed away"),
    rule(
        _STRONG, "E3",
        "care taken(?: over)?(?: by .*)?", "national transfer scheme.*",
        rf"(?:transf\w*|taken over) (?:\w+ ){{0,4}}{_OTHER_LA}.*",
        rf"{_OTHER_LA}(?: \w+)* (?:took|taken|take)(?: .*)?",
    ),
    rule(
        _STRONG, "E7",
        r"(?:transf\w*|transition\w*|moved?) (?:\w+ ){0,4}adults?.*", r"res\w* care funded.*",
        "adults? (?:ss|social|services?|care|placement).*", "asc",
    ),
    rule(_STRONG, "E9", r"sentenc\w*(?: .*)?", r"custod\w*(?: .*)?"),
    rule(
        _STRONG, "E14",
        r"(?:accom\w* on )?remand(?: \w+)? end\w*", "end of remand.*", "remand(?: accom\\w*)?",
    ),
    rule(
        _STRONG, "E16",
        "abroad(?: .*)?", "(?:left|out of) (?:the )?(?:uk|country)", "deported", "emigrated",
        "country of origin",
    ),
)  # fmt: skip

_ORDERS: tuple[Rule, ...] = (
    # Special guardianship: to whom, then the order itself.
    rule(
        _REFINE, "E47 E48",
        "(?:not |other than )(?:w |with |to )?(?:(?:the )?former(?: foster)? carers?|fcs?"
        "|foster carers?)",
        "other carers?",
    ),
    rule(_REFINE, "E46 E48", rf"other than {_KIN}(?:(?: or| and)* {_KIN})*"),
    rule(
        _REFINE, "E45 E46",
        "(?:w |with |to )?(?:former|ex|previous)(?: foster)? carers?", "ffcs?",
    ),
    rule(_STRONG, _SGO, r"special g\w*(?: ?ship)?(?: orders?)?", "sgos?", "sg orders?", "sg"),
    rule(_REFINE, "E45 E47", rf"{_KIN}(?:(?: or| and)* {_KIN})*"),
    rule(
        _STRONG, "E41",
        r"(?:res\w*|child arr\w*)(?:(?: or| and)* (?:res\w*|child arr\w*|from|of|22|04|2014|april"
        r"|an?))* ord\w*(?: .*)?",
        r"child arr\w*(?: .*)?", "ro", "cao",
    ),
    rule(_STRONG, "E12", r"consent disp\w*(?: with)?(?: by court)?", "(?:application )?opposed"),
    rule(_STRONG, "E11", "(?:application )?unopposed"),
    rule(_STRONG, "E11 E12", r"adopt\w*(?: order)?(?: granted.*)?"),
)  # fmt: skip

_PEOPLE_AND_PLACES: tuple[Rule, ...] = (
    rule(
        _STRONG, "E13",
        r"(?:.* )?(?:without|with no|no|wo) (?:any )?(?:pr|par\w* resp\w*)(?: .*)?",
    ),
    rule(
        _REFINE, "E4B",
        r"(?:was )?not (?:as )?(?:a )?part(?: of)?(?: .*)?", "un ?planned", "not planned",
    ),
    rule(_REFINE, "E4A", r"(?:as )?part of(?: .*)?", "planned", r"under care plan\w*"),
    rule(
        _STRONG, "E4A E4B",
        r"ret\w* (?:back )?(?:home|to (?:live (?:with )?)?(?:parents?|birth|own|family|relatives?"
        r"|mother|father)|to liv\w*)(?: .*)?",
        r"(?:went|gone|back|rehab\w*|discharged) home(?: .*)?", r"reunif\w*", r"reunit\w*",
        "home to (?:parents?|family|mother|father)(?: .*)?", "with parents?(?: .*)?",
        r"(?:with )?(?:person|parents?|other)(?: \w+)* with pr(?: .*)?",
    ),
    rule(
        _REFINE, "E6",
        r"(?:no|without|with no|not) (?:formal\w* )?(?:advice|support)\w*(?: .*)?", "un ?supported",
    ),
    rule(_STRONG, "E5", r"support\w* (?:accom\w*|lodgings?|living|housing)"),
    rule(_REFINE, "E5", r"(?:with )?(?:formal\w* )?support\w*"),
    rule(
        _STRONG, "E5 E6",
        r"(?:semi )?indep\w*(?: (?:living|liv|arr\w*|tenancy))*", "ind (?:living|liv)",
        r"own (?:tenancy|flat|accom\w*)", "living independently",
    ),
    rule(
        _STRONG, "E8",
        r"(?:care |looked after |services? |la )?(?:ceas\w* )?(?:for )?(?:any )?other reasons?"
        r"(?: .*)?",
        "^other$", "any other",
    ),
)  # fmt: skip

REASON_CEASED_WORDS = Vocabulary(
    code_set=REASON_CEASED,
    ignored=(
        r"(?:and )?e5.*(?:do|does) not apply.*",
        r"(?:this code should be used|use this code).*",
        # "not under a special guardianship order": no order was made.
        rf"(?:not (?:under )?(?:an? )?|no ){_NO_ORDER}(?![a-z0-9]).*",
    ),
    rules=(*_ENDINGS, *_ORDERS, *_PEOPLE_AND_PLACES),
    known_words=word_set(
        """
        abroad accommodation adopted adoption adult adults another application arrangement
        arrangements assessment authority carers ceased consent current custody deceased dispensed
        former formalised foster friend friends funded granted guardianship independence
        independent living opposed parent parental parents person planned planning process reason
        relative relatives remained remand residence residential responsibility return returned
        sentenced services social special support supported supportive transfer transferred
        unopposed unplanned unsupported without
        """
    ),
)
