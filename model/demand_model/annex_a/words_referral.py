"""Words for who referred a child.

The order matters: names that hold another group's words come before it
(a school nurse before a school, troubled families before families).
"""

from __future__ import annotations

from demand_model.annex_a.code_sets import REFERRAL_SOURCE
from demand_model.annex_a.text import word_set
from demand_model.annex_a.vocabulary import Rule, Strength, Vocabulary, rule

_HEAD, _STRONG, _WEAK = Strength.HEAD, Strength.STRONG, Strength.WEAK
_REFINE = Strength.REFINE

_INDIVIDUAL = "1A 1B 1C 1D"
_HEALTH = "3A 3B 3C 3D 3E 3F"
_LA = "5A 5B 5C"

_NOT_HERE = (
    r"(?:csc|hsc|schools?|school based|social care|youth offending|early help|housing|adults?"
    r"|childrens?|ooh|police|health|relatives?|friends?|carers?|family|ss|ssd|or|and)"
)
_IGNORED = (
    # What a department or a person is not: "(excluding housing)", "not social care".
    (
        r"(?:department |dept )?(?:other than|(?:but )?exclud\w*|excl|exc|not|non|none)(?: in)?"
        rf" {_NOT_HERE}(?: {_NOT_HERE})*"
    ),
    r"not listed|(?:please )?specify",
)

_OFFICIAL_NAMES: tuple[Rule, ...] = (
    rule(_HEAD, "9", r"anon", r"anon[yi]?m\w*"),
    rule(_HEAD, _HEALTH, r"^health services?(?! (?:and|or)\b)", r"^(?:health|hospital)(?= ·)"),
    rule(_HEAD, _LA, r"^(?:la|local authority) serv\w*(?! (?:and|or)\b)"),
    rule(_HEAD, _LA, r"^local authority (?:internal|external)"),
    rule(_HEAD, "4", r"^housing(?! benefit)"),
    rule(_HEAD, "6", r"^police(?= ·)"),
    rule(_HEAD, "7", r"^other legal(?: agenc\w*)?", r"^legal agenc\w*"),
    rule(_HEAD, "2B", r"^educ\w*(?: serv\w*| dep\w*)?$", r"^education services?(?! (?:and|or)\b)"),
    rule(
        _HEAD, "1D",
        r"^(?:ind\w* )?others?(?: ·)?(?: individuals?)?(?: ·)?(?: inc\w*| eg)*"
        r" (?:strangers?|mps?\b).*",
        r"other individuals?(?: inc\w*| eg| strangers?| mps?| councillors?| or| and)*",
    ),
    rule(
        _HEAD, "8",
        r"^others?(?: ·)? (?:inc\w*|eg|for example) (?:\w+ )*"
        r"(?:child\w* cent\w*|ind\w* agenc\w*|vol\w*).*",
        r"child\w* cent\w*(?: or| and)? ind\w* (?:agency )?provider\w*.*",
    ),
    rule(_HEAD, _INDIVIDUAL, r"^individuals?(?! (?:and|or|agenc\w*)\b)"),
    rule(_STRONG, "8", r"^others?(?= ·)"),
)  # fmt: skip

_EDUCATION: tuple[Rule, ...] = (
    rule(_STRONG, "3C", r"schools? (?:nurs\w*|health)(?: team| service)?"),
    rule(
        _STRONG, "2B",
        r"ed(?:uc\w*)? psych\w*", r"educ\w* welfare(?: off\w*| serv\w*)?", "ewo", "ews",
        r"virtual (?:school|head)\w*", r"special educ\w* needs?", r"school attendance.*",
        r"attendance(?: off\w*| team| service)?", r"further educ\w*(?: colleges?)?",
        r"universit\w*(?! hosp\w*)", r"other educ\w*(?: serv\w*)?", r"elective home educ\w*",
        r"(?:children )?missing (?:from )?education", r"early years? (?:prov\w*|settings?)",
        r"pre ?school\w*", r"play ?group\w*",
    ),
    # Education with a kind of school beside it may be either group: the kind decides.
    rule(
        _STRONG, "2A 2B",
        r"educ?\w*(?: ·)?(?=.*\b(?:sch|prim|second|acad|coll|nurs|sixth|6th|post 16))",
    ),
    rule(
        _STRONG, "2A",
        r"(?:primary|secondary|infants?|junior|special|high|grammar|nursery|independent|academy"
        r"|first|middle|upper|boarding|private|state)(?: primary| secondary)? sch(?:ools?)?",
        r"schools?(?: staff)?", "sch", r"academ(?:y|ies)", r"(?:6th|sixth) form\w*(?: colleges?)?",
        r"head ?teachers?", r"teachers?", "senco", r"pastoral(?: \w+)?",
        r"designated safeguarding lead", r"prus?", r"pupil referral\w*(?: unit)?",
        r"(?:^|(?<=· )|st \w+ |saints? \w+ )(?:primary|secondary)(?= ·|$)",
    ),
    # Authorities place these in schools, education services or the authority itself.
    rule(
        _STRONG, "2A 2B",
        r"(?:day )?nurser(?:y|ies)(?! nurs)(?: prov\w*| setting)?", r"colleges?",
    ),
    rule(_STRONG, "2B 5B", r"send?(?: team| service)?", r"early years?"),
    rule(_STRONG, "2B", r"educ\w*", "edu"),
)  # fmt: skip

_POLICE_AND_LAW: tuple[Rule, ...] = (
    rule(
        _STRONG, "6",
        r"police\w*(?: (?:dv|da|domestic \w+))?", "polic", "pol", r"constabular\w*",
        r"merlins?", r"cai[ut]", "ppu", "ppn",
        "btp", r"child abuse investigation (?:unit|team)", r"public protection (?:unit|notice)",
    ),
    rule(
        _STRONG, "7",
        r"(?:magistrates?|family|crown|county|youth|high) court", r"courts?", r"probation(?: \w+)?",
        "probcour", "nps", "crc", r"community rehab\w* company", r"crown prosecution(?: service)?",
        "cps", "judge", "coroner", "tribunal", r"prisons?", "hmp", r"cafcass?(?: \w+)?",
        r"solicitors?", r"barristers?", r"lawyers?", r"magistrates?", r"immigration(?: \w+)?",
        "ukba", "ukvi", r"(?:uk )?border (?:agency|force)", r"uk visas?(?: .*)?",
        r"other legal(?: agenc\w*)?", r"legal agenc\w*", r"guardian ad litem",
    ),
    # Immigration, prisons and benefits: authorities differ.
    rule(_STRONG, "7 8", "home office", "benefits? agency"),
    # An authority's own solicitors, or anyone's.
    rule(_STRONG, "5B 7", r"^legal(?: serv\w*| dep\w*| team)?$"),
)  # fmt: skip

_HOUSING: tuple[Rule, ...] = (
    rule(_STRONG, "4 5B 8", r"supported (?:housing|living|accom\w*)(?: \w+)?"),
    rule(
        _STRONG, "4",
        r"(?:la |council |local authority )?housing(?: .*)?", r"(?:la |council )?hous(?: \w+)*",
        r"homeless\w*(?: \w+)?", r"registered social landlord", "rsl", r"tenancy(?: \w+)?",
        r"sheltered (?:accom\w*|housing)",
    ),
    rule(_STRONG, "1D 4", r"(?:private )?landlords?"),
)  # fmt: skip

_OTHER_LA = (
    r"(?:external )?(?:other|another) (?:local )?(?:la|las|authorit\w*|councils?)(?: .*)?",
    r"(?:other )?(?:ola|otla)(?: .*)?",
)
_LOCAL_AUTHORITY: tuple[Rule, ...] = (
    rule(_STRONG, "5C", *_OTHER_LA, r"external (?:eg|for example|local|la|from).*"),
    rule(
        _STRONG, "5B",
        r"youth (?:offending|justice)(?: (?:team|service|staff|\w+))*", "yot", "yos", "yisp", "yjs",
        r"environmental health(?: \w+)?", r"youth (?:service|services|support|worker|work|team)",
        r"trading standards", r"librar\w*", r"leisure(?: \w+)?",
        r"other (?:internal|council)(?: dep\w*)?",
    ),
    rule(
        _STRONG, "5A",
        r"hospital (?:sw|social work\w*)(?: team)?", r"adults? and community services?",
        r"adults? (?:social (?:care|services?|work\w*)|services?|teams?|ss|ssd|sc|care"
        r"|safeguarding)(?: staff| team| dept)?",
        r"(?:internal )?social (?:care|services?|serv|work\w*)(?: .*)?",
        r"(?:internal )?ssd(?: \w+)?",
        "csc", "asc", r"child\w* (?:services?|social care)(?: .*)?", "edt",
        r"child\w* (?:with disabilit\w*|in need)(?: team)?", r"disabled child\w*(?: team)?",
        r"cwd(?: team)?", r"emergency duty(?: \w+)?", r"out of hours(?: \w+)?", "ooh",
        r"(?:fostering|adoption|leaving care) (?:team|service)", "lado",
        r"(?:referral and |duty and )?assessment team",
    ),
    rule(
        _STRONG, _LA,
        "families first", r"troubled famil\w*", r"stronger famil\w*", r"family support(?: \w+)?",
        r"family (?:recovery|solutions|hub)\w*(?: \w+)?", r"family information service",
        r"parent(?:ing)? support(?: advis\w*)?", r"parenting team",
        r"young people\w*(?: s)?(?: support)? services?", "mash",
        r"multi agency safeguarding hub", r"early help(?: .*)?", r"early intervention(?: .*)?",
        r"targeted (?:family|youth)(?: \w+)*", r"internal(?: \w+)?", r"first response",
        r"local authority(?: (?:dep\w*|staff|other|internal))?", r"contact centre",
        r"(?:la|council|borough|authority) (?:\w+ )?(?:dep\w*|serv\w*|staff|officer)", "council",
        r"portage(?: \w+)?", r"step ?down",
    ),
    rule(_WEAK, "5C", r"^external(?: serv\w*)?$"),
    rule(_WEAK, _LA, "sw", r"^la", r"(?:lb[a-z]{1,2}|[a-z]{1,3}bc|[a-oq-z]cc)"),
)  # fmt: skip

_SHARED_NAMES: tuple[Rule, ...] = (
    # Run by the NHS, authorities or charities, differently from place to place.
    rule(_STRONG, f"{_HEALTH} {_LA}", "hospital team", r"occupational therap\w*", "ots?"),
    rule(_STRONG, "3F 5A 8", "nursing homes?", r"home care(?: \w+)?"),
    rule(
        _STRONG, f"{_HEALTH} 8",
        r"(?:substance|drugs?|alcohol|addictions?)(?: (?!nurs)\w+)*",
    ),
    rule(_STRONG, "5B 7 8", r"domestic (?:abuse|violence)(?: \w+)?", "dv", r"idva\w*"),
)  # fmt: skip
_HEALTH_SERVICES: tuple[Rule, ...] = (
    rule(
        _STRONG, "3E",
        r"a and e", "aande", "ae", r"accident\w*(?: (?:and|or))? emergency(?: \w+)?",
        r"emergency dep\w*", "casualty",
    ),
    rule(_STRONG, "3B", r"health visit\w*(?: service)?", "hvs?"),
    rule(_STRONG, "3A", "gps?", r"general pract\w*", r"(?:gp )?surgery", "family doctor"),
    rule(
        _STRONG, "3D",
        r"(?:other )?primary (?:health|care|community)(?: \w+)?", r"other primary",
        r"dent(?:al|ist)\w*",
        r"pharmac\w*", r"district nurs\w*", "optician", "practice nurse", r"health cent\w*",
        r"walk in(?: cent\w*)?", r"urgent care(?: \w+)?", r"minor injur\w*(?: \w+)?",
    ),
    rule(_STRONG, "3F", "hospice", r"other health(?: serv\w*)?", r"health other(?! primary)"),
    rule(
        _STRONG, _HEALTH,
        r"camhs?", "cmht", "matron", "nhsd", r"(?:\w+ )?mental health(?: \w+)?",
        r"hospital\w*(?: \w+)?",
        r"p[ae]{1,2}d[ie]{1,2}at\w*", r"psychiatr\w*", r"(?:clinical )?psycholog\w*", r"midwi\w*",
        r"maternity(?: \w+)?", r"ante ?natal", r"neonatal(?: \w+)?", r"obstetric\w*",
        r"ambulance(?: \w+)?", r"paramedic\w*", r"nhs(?: \w+)*", "clinic", "cpn",
        r"(?:adults?|childrens?) ward", r"(?:community|specialist|named|lac|cla|family|safeguarding"
        r"|psychiatric|nursery|staff) nurs\w*(?: \w+)*", r"nurses?", "consultant", r"physio\w*",
        r"speech (?:and )?(?:language)?(?: therap\w*)?", "salt", r"sexual health(?: \w+)?",
        "primary care trust", "pct", "ccg", r"health(?: (?!educ)\w+)?", "doctor", "therapist",
    ),
    rule(_WEAK, _HEALTH, "medical", "med", "nursing", "midw", "nurs"),
)  # fmt: skip

_OTHER_AGENCIES: tuple[Rule, ...] = (
    rule(
        _STRONG, "8",
        # Charities that refer across England.
        r"nspcc?", r"barnard\w*", r"child ?line", r"womens? aid", r"(?:womens? )?refuge",
        r"home ?start", r"catch ?22", "action for children", r"citizens? advice(?: \w+)?",
        "victim support", "samaritans", "salvation army", "red cross", "change grow live", "cgl",
        "turning point", "addaction", "caritas", "relate", "family action", "family lives",
        "age uk", "mencap", "nacro", "centrepoint", r"st giles(?: trust)?", "spurgeons", "coram",
        "rspca", r"food ?bank", r"young carers(?: \w+)*",
        r"carers? (?:cent\w*|support|trust|project)(?: \w+)*",
        r"refugee (?:cent\w*|council|action)",
        r"vol\w* (?:(?:and|or) )*(?:org\w*|agenc\w*|sector|serv\w*|community|ind\w*)(?: \w+)*",
        r"voluntary(?: \w+)?", "vcs", r"charit\w*", "third sector", "3rd sector",
        r"child\w* (?:cent\w*|ctr)", r"sure ?start(?: \w+)*", "church", r"faith(?: \w+)?",
        r"religious(?: \w+)?", "mosque", "youth club", r"sports? club", "ofsted",
        r"inspect\w* body",
        r"job ?cent\w*(?: plus)?", "dwp", "embassy", "idsva",
        r"fire (?:and )?(?:rescue|service|brigade|dept)(?: service)?", r"army(?: \w+)?",
        "armed forces", r"military(?: \w+)?", r"ministry of defence(?: mod)?", "mod", "ssafa",
        r"(?:independent|private|other(?: non)?(?: statutory)?|partner|adoption|fostering|foster)"
        r" agenc\w*(?: prov\w*)?",
        r"ind\w* prov\w*", "provider", r"(?:care|residential) homes?",
        r"other professional(?: \w+)*",
    ),
    rule(
        _WEAK, "8",
        r"^others?$", r"^others? ·$", "^oth$", "^agency$", "third party", "vol", "private",
        "project worker", r"family intervention project(?: \w+)*",
    ),
)  # fmt: skip

_PEOPLE: tuple[Rule, ...] = (
    rule(
        _STRONG, "1C",
        r"self(?: referr\w*)?", r"young person\w*", "^service user$", "^other service user$",
        "^child$",
    ),
    rule(
        _STRONG, "1B",
        r"friends?(?: of (?:the )?family)?", r"neighbou?rs?", r"child ?minders?", r"acquaint\w*",
        r"baby ?sitters?", r"community (?:contact|member)",
    ),
    rule(
        _STRONG, "1D",
        r"strangers?", r"mps?", r"members? of (?:the )?(?:public|parliament)", "mop",
        r"(?:general )?public(?: other individuals?)?", r"(?:elected|council) member\w*",
        r"councill?ors?",
        "concerned citizen",
    ),
    rule(
        _STRONG, "1A",
        r"(?:(?:step|birth|grand|great|foster|maternal|paternal|ex|god|adoptive|absent|half) ?)*"
        r"(?:mother|father|mum|dad|parents?|brother|sister|siblings?|aunt\w*|uncle|niece|nephew"
        r"|cousin|grand\w*|daughter|son|husband|wife|spouse|partner|carers?|nan)(?: in law)?"
        r"(?: of child)?",
        r"(?:extended )?family (?:members?|friends?)", "extended family", "^family$",
        r"relatives?", r"relations?", r"household members?", "next of kin",
        r"family and friends?", "legal guardian",
    ),
    rule(_WEAK, _INDIVIDUAL, r"individuals?", "ind"),
    rule(_WEAK, "1A", "fath", "moth", "brot", "sist", "gran"),
    rule(_WEAK, "1B", "neig", "frie"),
    rule(_WEAK, "10", "unknown", r"not (?:known|recorded|stated|specified)", "nk", "unk"),
    rule(_WEAK, "4", "hou"),
    rule(_WEAK, "7", "legal", "leg", "prob"),
    rule(_REFINE, "1D 3F", r"others?"),
    rule(_REFINE, "5C", "external"),
    rule(_REFINE, "1A", "family"),
)  # fmt: skip

_KNOWN_WORDS = word_set(
    """
    academy accident acquaintance action adults agencies agency ambulance anonymous another
    association authorities authority brother cafcass centre centres charity childminder
    childminders children childrens college community constabulary council councillor courts
    cousin department doctor domestic education educational emergency excluding external families
    family father friend friends general grandfather grandmother grandparent grandparents health
    homeless hospice hospital housing immigration including independent individual individuals
    internal intervention legal member members mental midwife midwifery misuse mother neighbour
    neighbours nurses nursery nursing offending officer organisation organisations other paediatric
    paediatrician paediatrics parent parents person persons police practitioner primary prison
    prisons private probation professional project provider providers provision psychiatrist
    psychologist public referral relative relatives school schools secondary service services
    sibling sister social solicitor stranger strangers stronger substance support supported surgery
    teacher unknown visiting visitor visitors voluntary welfare worker workers
    """
)

REFERRAL_SOURCE_WORDS = Vocabulary(
    code_set=REFERRAL_SOURCE,
    ignored=_IGNORED,
    rules=(
        *_OFFICIAL_NAMES,
        *_EDUCATION,
        *_POLICE_AND_LAW,
        *_HOUSING,
        *_LOCAL_AUTHORITY,
        *_SHARED_NAMES,
        *_HEALTH_SERVICES,
        *_OTHER_AGENCIES,
        *_PEOPLE,
    ),
    known_words=_KNOWN_WORDS,
)
