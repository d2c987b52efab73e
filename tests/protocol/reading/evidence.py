"""The routing evidence (triage specification, part 3.5) and who leads (part 3.4)."""

from dataclasses import dataclass

from .answers import Answers
from .facts import (
    gradual,
    knee_extension_weak,
    passive_slr_positive,
    reflex_loss,
    stretch_positive,
    weakness,
)
from .truth import Truth, every

Line = tuple[int, Truth]


@dataclass(frozen=True)
class Scores:
    """Points of the tables; `nerve_plain` leaves the Hoover line out, `nerve_hoped` adds what is not known."""

    nerve_plain: int
    nerve_hoped: int
    hoover: int
    strain: int
    disuse: int
    joint: int

    @property
    def nerve(self) -> int:
        return self.nerve_plain + self.hoover

    @property
    def muscle(self) -> int:
        return max(self.strain, self.disuse)

    @property
    def nerve_at_least_3(self) -> Truth:
        if self.nerve_plain >= 3:
            return True
        return None if self.nerve_hoped >= 3 else False

    @property
    def nerve_leads(self) -> bool:
        return self.nerve >= 3 and self.nerve >= self.muscle + 2 and self.nerve >= self.joint + 2

    @property
    def muscle_leads(self) -> bool:
        return self.muscle >= 3 and self.muscle >= self.nerve + 2 and self.muscle > self.joint

    @property
    def joint_leads(self) -> bool:
        return self.joint >= 3 and self.joint >= self.nerve + 2 and self.joint >= self.muscle

    @property
    def strain_leads(self) -> bool:
        return self.muscle_leads and self.strain > self.disuse

    @property
    def disuse_leads(self) -> bool:
        return self.muscle_leads and self.disuse >= self.strain


def nerve_lines(a: Answers, *, extensor_rupture: bool) -> list[Line]:
    """The nerve table without the Hoover line; a torn extensor explains a weak knee by itself."""
    return [
        (2, weakness(a)),
        (2, a.present("anterior_thigh_pain_radiating")),
        (2, a.present("anterior_thigh_numbness_tingling")),
        (2, reflex_loss(a)),
        (2, stretch_positive(a)),
        (1, a.present("back_pain")),
        (1, a.says("known_lumbar_pathology", "disc", "stenosis", "spondylolisthesis")),
        (1, knee_extension_weak(a) and not extensor_rupture),
        (1, passive_slr_positive(a)),
    ]


def strain_lines(a: Answers) -> list[Line]:
    return [
        (2, a.says("mechanism", "kick_or_forced_flexion")),
        (2, a.present("sharp_groin_pain_at_onset")),
        (2, a.present("resisted_hip_flexion_painful")),
        (1, a.present("pain_worse_on_hip_flexion")),
        (1, a.present("iliopsoas_tenderness_or_defect")),
    ]


def disuse_lines(a: Answers) -> list[Line]:
    return [(4, every(a.present("prolonged_disuse"), gradual(a))), (1, a.present("muscle_wasting"))]


def joint_lines(a: Answers) -> list[Line]:
    sore_hip = a.present("groin_or_deep_hip_pain", "lateral_hip_pain")
    return [
        (3, a.says("limiting_factor", "block")),
        (2, every(a.says("limiting_factor", "pain"), sore_hip)),
        (2, a.present("pinching_or_catching")),
        (2, a.present("known_hip_osteoarthritis")),
        (2, a.says("passive_hip_rom", "restricted", "blocked")),
        (1, a.present("lateral_hip_pain")),
        (1, a.says("fadir", "positive")),
        (1, a.says("faber", "positive")),
        (1, a.says("log_roll", "positive")),
    ]


def certain_points(lines: list[Line]) -> int:
    return sum(points for points, truth in lines if truth is True)


def possible_points(lines: list[Line]) -> int:
    return sum(points for points, truth in lines if truth is not False)


def scores(a: Answers, *, extensor_rupture: bool) -> Scores:
    nerve = nerve_lines(a, extensor_rupture=extensor_rupture)
    return Scores(
        nerve_plain=certain_points(nerve),
        nerve_hoped=possible_points(nerve),
        hoover=certain_points([(3, a.says("hoover_sign", "positive"))]),
        strain=certain_points(strain_lines(a)),
        disuse=certain_points(disuse_lines(a)),
        joint=certain_points(joint_lines(a)),
    )
