"""The fields of the form, their sections and allowed answers (triage specification, part 2)."""

from dataclasses import dataclass

FINDING_SECTIONS = ("examination", "observations")
SIDES = ("left", "right")


@dataclass(frozen=True)
class Field:
    """One field: a list of answers that say something, or a range of numbers with both ends included."""

    section: str
    name: str
    answers: tuple[str, ...] = ()
    span: tuple[float, float] | None = None
    tri: bool = False

    @property
    def is_finding(self) -> bool:
        return self.section in FINDING_SECTIONS


def listed(section: str, **fields: str) -> list[Field]:
    return [Field(section, name, tuple(answers.split())) for name, answers in fields.items()]


def tri(section: str, names: str) -> list[Field]:
    return [Field(section, name, ("present", "absent"), tri=True) for name in names.split()]


def course(names: str) -> list[Field]:
    answers = ("none", "new_or_worse", "longstanding_unchanged")
    return [Field("symptoms", name, answers) for name in names.split()]


def numbers(section: str, **spans: tuple[float, float]) -> list[Field]:
    return [Field(section, name, span=span) for name, span in spans.items()]


def both_sides(make: list[Field]) -> list[Field]:
    return [Field(field.section, f"{field.name}_{side}", field.answers, field.span) for field in make for side in SIDES]


PATIENT = [
    *listed(
        "patient",
        sex_at_birth="female male intersex",
        pregnancy_status="pregnant possible not_pregnant not_applicable",
    ),
    *numbers("patient", gestation_weeks=(0, 44), postpartum_days=(0, 400)),
]

SYMPTOMS = [
    *listed(
        "symptoms",
        side="left right both",
        onset="sudden subacute gradual",
        mechanism="none kick_or_forced_flexion fall_low_energy high_energy_trauma direct_blow lifting "
        "after_procedure childbirth immobilisation other",
        progression="improving stable worsening_days worsening_weeks worsening_months fluctuating",
        limiting_factor="weakness pain block",
        can_bear_weight="yes with_difficulty no",
    ),
    *course("bladder_change bowel_change saddle_numbness bilateral_sciatica"),
    *course("breathlessness_rest_or_lying swallowing_difficulty"),
    *numbers("symptoms", duration_days=(0, 43830), pain_score=(0, 10)),
    *tri(
        "symptoms",
        "cannot_lift_leg_supine bilateral_leg_weakness sexual_dysfunction_new back_pain "
        "anterior_thigh_pain_radiating anterior_thigh_numbness_tingling groin_or_deep_hip_pain "
        "sharp_groin_pain_at_onset pain_worse_on_hip_flexion pinching_or_catching lateral_hip_pain knee_pain "
        "cannot_straighten_knee fast_face fast_arm fast_speech fever systemically_unwell "
        "unexplained_weight_loss night_pain cold_pale_limb "
        "sudden_abdominal_or_tearing_pain syncope",
    ),
]

HISTORY = [
    *listed(
        "history",
        cancer="none past current",
        known_lumbar_pathology="none disc stenosis spondylolisthesis other",
    ),
    *tri(
        "history",
        "anticoagulant bleeding_disorder immunosuppression iv_drug_use recent_spinal_procedure "
        "recent_infection_6w diabetes osteoporosis_or_steroids atrial_fibrillation_or_vascular_risk known_aaa "
        "prior_lumbar_surgery known_hip_osteoarthritis hip_prosthesis prolonged_disuse endurance_athlete "
        "prior_treated_ces",
    ),
]

IMAGING_SAFETY = [
    *listed(
        "imaging_safety",
        mri_safety="safe mr_conditional unsafe",
        implant="none pacemaker icd neurostimulator aneurysm_clip cochlear metal_fragment_eye other",
        gadolinium_reaction="none mild severe",
        iodinated_reaction="none mild severe",
    ),
    *tri("imaging_safety", "claustrophobia"),
    *numbers("imaging_safety", egfr=(0, 300)),
]

EXAMINATION = [
    *both_sides(
        numbers("examination", mrc_hip_flexion=(0, 5), mrc_knee_extension=(0, 5), mrc_ankle_dorsiflexion=(0, 5))
    ),
    *both_sides(
        listed(
            "examination",
            knee_reflex="absent reduced normal brisk",
            femoral_stretch="positive negative",
            passive_slr="positive negative",
        )
    ),
    *listed(
        "examination",
        saddle_sensation="normal reduced absent",
        anal_tone="normal reduced",
        passive_hip_rom="full restricted blocked",
        fadir="positive negative",
        faber="positive negative",
        log_roll="positive negative",
        hoover_sign="positive negative",
        distal_pulses="present reduced absent",
    ),
    *tri(
        "examination",
        "upper_motor_neuron_signs sensory_level areflexia_legs passive_hip_rom_painful "
        "resisted_hip_flexion_painful iliopsoas_tenderness_or_defect muscle_wasting suprapatellar_gap "
        "leg_short_externally_rotated psoas_sign",
    ),
]

OBSERVATIONS = [
    *numbers(
        "observations",
        temperature_c=(25, 45),
        heart_rate=(0, 350),
        systolic_bp=(0, 350),
        crp_mg_l=(0, 2000),
        esr_mm_h=(0, 300),
        wbc_10e9_l=(0, 1000),
        inr=(0, 30),
        haemoglobin_g_l=(0, 300),
        post_void_residual_ml=(0, 5000),
    ),
    *listed(
        "observations",
        prior_xray_hip="not_done normal fracture oa lesser_trochanter_avulsion other",
    ),
]

FIELDS = (*PATIENT, *SYMPTOMS, *HISTORY, *IMAGING_SAFETY, *EXAMINATION, *OBSERVATIONS)
SECTION_OF = {field.name: field.section for field in FIELDS}
SECTIONS = ("encounter", "patient", "symptoms", "history", "imaging_safety", "examination", "observations")
TIER_1 = (
    "onset",
    "duration_days",
    "progression",
    "bilateral_leg_weakness",
    "bladder_change",
    "bowel_change",
    "saddle_numbness",
)

FORMER_TRI = ("bilateral_sciatica", "breathlessness_rest_or_lying", "swallowing_difficulty")
OLD_ANSWERS = {"present": "new_or_worse", "absent": "none"}
