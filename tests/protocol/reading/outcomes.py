"""Whether a danger in the text is asserted, denied or only mentioned (triage specification, part 4 step 9.2)."""

import re

from .matches import Match
from .word_lists import LISTS, NUMBERS, WINDOWS, Words, any_in, fits_any, stands_in

PARTING = frozenset({",", *LISTS["piece_words"]})
LIST_NEGATORS = frozenset(LISTS["list_negators"])
NEGATORS = LIST_NEGATORS | frozenset(LISTS["direct_negators"])
FOUR_DIGITS = re.compile(r"[0-9]{4}")


class Reader:
    """One sentence; `bound` are the words that belong to a finding of several words."""

    def __init__(self, words: Words, bound: set[int], this_year: int) -> None:
        self.words = words
        self.bound = bound
        self.this_year = this_year

    def outcome(self, match: Match) -> str:
        if self.denied(match):
            return "denied"
        return "mentioned" if self.only_mentioned(match.lo, match.hi) else "asserted"

    def denied(self, match: Match) -> bool:
        return (
            self.denied_directly(match)
            or (not match.act and self.denied_by_list(match))
            or self.denied_before_place(match)
            or self.normal_inside(match)
            or self.denied_by_last_word(match.hi)
            or self.denied_soon_after(match.hi)
        )

    def before(self, end: int, count: int) -> range:
        """The numbers of the `count` words before word `end`."""
        return range(max(0, end - count), end)

    def after(self, start: int, count: int) -> range:
        """The numbers of `count` words from word `start` on."""
        return range(start, min(len(self.words), start + count))

    def at(self, numbers: range) -> Words:
        return [self.words[number] for number in numbers]

    def free(self, number: int, match: Match) -> bool:
        return number not in self.bound and number not in match.own

    def piece_start(self, anchor: int) -> int:
        far = self.before(anchor, WINDOWS["list"])
        partings = [number for number in far if self.words[number] in PARTING]
        return partings[-1] + 1 if partings else far.start

    def denied_directly(self, match: Match) -> bool:
        kind = "act" if match.act else "direct"
        blockers = LISTS["act_blockers" if match.act else "noun_blockers"]
        start = max(self.piece_start(match.anchor), match.anchor - WINDOWS[kind])
        for number in reversed(range(start, match.anchor)):
            if number in match.own:
                continue
            if fits_any(self.words[number], blockers):
                return False
            if self.words[number] in NEGATORS and self.free(number, match):
                return True
        return False

    def denied_by_list(self, match: Match) -> bool:
        start = self.piece_start(match.anchor)
        listed = range(max(0, match.anchor - WINDOWS["list"]), start)
        negated = any(self.words[number] in LIST_NEGATORS and self.free(number, match) for number in listed)
        piece = [self.words[number] for number in range(start, match.anchor) if number not in match.own]
        stated = any_in(piece, LISTS["state_words"])
        timed = any_in(self.at(self.after(match.hi + 1, WINDOWS["time"])), LISTS["time_words"])
        return negated and not stated and not timed

    def denied_before_place(self, match: Match) -> bool:
        if match.place is None:
            return False
        between = range(max(match.anchor + 1, match.place - WINDOWS["place"]), match.place)
        return any(self.words[number] in NEGATORS and self.free(number, match) for number in between)

    def normal_inside(self, match: Match) -> bool:
        inside = [self.words[number] for number in range(match.lo, match.hi + 1) if number not in match.own]
        return any_in(inside, LISTS["inside"])

    def denied_by_last_word(self, hi: int) -> bool:
        """A "no" at the end, directly after the finding or after a colon."""
        candidates = [hi + 1]
        for number in self.after(hi + 1, WINDOWS["after"]):
            if self.words[number] in PARTING:
                break
            if self.words[number] == ":":
                candidates.append(number + 1)
                break
        return any(self.closes(number) for number in candidates)

    def closes(self, number: int) -> bool:
        if number >= len(self.words) or self.words[number] not in LISTS["after_last"]:
            return False
        return self.words[number + 1 : number + 2] in ([], [","])

    def denied_soon_after(self, hi: int) -> bool:
        start = hi + 2 if self.words[hi + 1 : hi + 2] == [":"] else hi + 1
        for number in self.after(start, WINDOWS["after"]):
            word, following = self.words[number], self.words[number + 1 : number + 2]
            if word in PARTING:
                return False
            if word in LISTS["after_near"] or (word == "not" and any_in(following, LISTS["after_not"])):
                return True
        return False

    def only_mentioned(self, lo: int, hi: int) -> bool:
        return self.is_advice(lo, hi) or self.of_another_person(lo) or self.is_history(lo, hi)

    def is_advice(self, lo: int, hi: int) -> bool:
        earlier = self.at(self.before(lo, WINDOWS["hypothetical_before"]))
        later = self.at(self.after(hi + 1, WINDOWS["hypothetical_after"]))
        return any(stands_in(window, LISTS["hypothetical"]) for window in (earlier, later))

    def of_another_person(self, lo: int) -> bool:
        return any(
            fits_any(self.words[number], LISTS["other_person"])
            and not (number and fits_any(self.words[number - 1], LISTS["own_person"]))
            for number in self.before(lo, WINDOWS["person"])
        )

    def is_history(self, lo: int, hi: int) -> bool:
        start, end = max(0, lo - WINDOWS["past"]), min(len(self.words), hi + 1 + WINDOWS["past"])
        window = self.words[start:end]
        if any_in(window, LISTS["now"]):
            return False
        return stands_in(window, LISTS["past"]) or any(self.is_past_year(number) for number in range(start, end))

    def is_past_year(self, number: int) -> bool:
        word = self.words[number]
        if not FOUR_DIGITS.fullmatch(word) or not 1900 <= int(word) < self.this_year:
            return False
        return not any_in(self.words[number + 1 : number + 2], [*NUMBERS["ml"], *NUMBERS["litre"]])
