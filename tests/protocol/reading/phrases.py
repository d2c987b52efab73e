"""The danger phrases and the words around them that count (triage specification, part 4 step 9)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """One row of the table: the boxes that could say it, and the phrases as lists of words."""

    name: str
    boxes: tuple[str, ...]
    nouns: list[list[str]]
    actions: list[list[str]]


def group(name: str, boxes: str, nouns: str, actions: str) -> Group:
    return Group(name, tuple(boxes.split()), phrases(nouns), phrases(actions))


def words(line: str) -> frozenset[str]:
    return frozenset(line.split())


def phrases(lines: str) -> list[list[str]]:
    return [phrase.split() for phrase in lines.replace("\n", ",").split(",") if phrase.strip()]


GROUPS = (
    group(
        "bladder",
        "bladder_change",
        """urinary incontinen, bladder incontinen, urine leak, loss of bladder control, urinary retention
        retention of urine""",
        """wet myself, wet himself, wet herself, wet the bed
        wetting myself, wetting himself, wetting herself, wetting the bed
        peed myself, peed himself, peed herself, pissed myself
        leaked urine, leaking urine, leaks urine, leak urine
        lost bladder control, lost control of my bladder, lost control of his bladder
        lost control of her bladder, no bladder control
        cannot pass urine, can't pass urine, cant pass urine, unable to pass urine
        cannot pee, can't pee, cant pee, unable to pee
        cannot urinate, can't urinate, cant urinate, unable to urinate""",
    ),
    group(
        "bowel",
        "bowel_change",
        """faecal incontinen, fecal incontinen, bowel incontinen, loss of bowel control
        incontinence of stool, soiling""",
        """soiled, pooed myself, pooed himself, pooed herself, pooped myself, messed myself, messed the bed
        lost bowel control, lost control of my bowel, lost control of his bowel, lost control of her bowel
        no bowel control, incontinent of stool, incontinent of faeces""",
    ),
    group("sphincter", "bladder_change bowel_change", "incontinence", "incontinent"),
    group(
        "saddle",
        "saddle_numbness",
        """saddle numb, saddle anaesthesia, saddle anesthesia, numb saddle, numb bottom, numb buttock
        numb groin, numb genital, numb crotch, numb private""",
        """numb between my legs, numb between the legs, numb between his legs, numb between her legs
        numb down below, bottom is numb, buttocks are numb, groin is numb, genitals are numb, crotch is numb
        privates are numb, private parts are numb, feel when i wipe, feel myself wipe
        feel the toilet paper""",
    ),
    group(
        "bilateral",
        "bilateral_leg_weakness",
        "weakness in both legs, weakness of both legs, weakness in both my legs",
        """both legs weak, both legs are weak, both my legs are weak, both legs getting weak
        both legs are getting weak, both legs gave way, both legs give way, both legs are giving way
        weak in both legs, cannot move either leg, can't move either leg, cant move either leg""",
    ),
    group(
        "stroke",
        "fast_face fast_arm fast_speech",
        "facial droop, face droop, mouth droop, drooping face, slurred speech",
        "face is drooping, mouth is drooping, speech is slurred, speech slurred, slurring",
    ),
    group(
        "breathing",
        "breathlessness_rest_or_lying",
        "",
        """breathless at rest, breathless lying, breathless when lying
        can't breathe, cannot breathe, cant breathe""",
    ),
    group(
        "swallowing",
        "swallowing_difficulty",
        "",
        """can't swallow, cannot swallow, cant swallow, unable to swallow
        choking on water, chokes on water, choke on water""",
    ),
)

FEEL_PHRASES = phrases("feel myself wipe, feel the toilet paper, feel when i wipe")
FEEL_NEGATORS = words("barely can't cannot cant couldn't couldnt don't dont hardly no not unable")

SENTENCE_WORDS = words("but however although though except")
PIECE_WORDS = words("and then so because")

LIST_NEGATORS = words("denied denies denying neither nil no nor without")
VERB_NEGATORS = words(
    "didn't didnt doesn't doesnt don't dont hadn't hadnt hasn't hasnt haven't havent isn't isnt never not wasn't wasnt"
)
NOUN_BLOCKERS = tuple(words("warn aware feel felt"))
ACTION_BLOCKERS = tuple(
    words(
        "warn aware feel felt notic know knew realis realiz sens control stop able reach make made get got hold "
        "held time"
    )
)
LIST_BREAKERS_BEFORE = words("are had has have is new now was with")
LIST_BREAKERS_AFTER = words("again for last now once overnight since started this today tonight twice yesterday")
