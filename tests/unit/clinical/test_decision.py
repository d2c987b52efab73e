"""What a decision says: the owner, the reasons, what is missing, and the shape of the HTTP contract."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clinical.triage import place, screen, triage
from shared.protocols import active
from tests.unit.clinical.calm import TRI_ABSENT, decide, form, reason_ids
from tests.unit.clinical.rule_cases import ROWS

FIELDS = [
    "queue",
    "priority",
    "red_flags",
    "pattern",
    "headline",
    "suspected",
    "send_to",
    "imaging_status",
    "imaging",
    "cautions",
    "incomplete",
    "evidence",
    "mentioned",
    "ambulance",
    "contact_minutes",
    "teams",
    "evidence_lines",
    "reasons",
    "undetermined",
    "protocol",
]


def test_the_record_has_the_shape_of_the_contract():
    record = decide(onset="sudden", bladder_change="new_or_worse", fever="unknown").record()
    assert list(record) == FIELDS
    assert record["headline"] == "Loss of bladder or bowel control with sudden weakness"
    assert record["suspected"] == "cauda equina syndrome"
    assert record["send_to"] == "spinal / emergency department on call"
    assert record["imaging"] == [
        {
            "study": "mri_lumbar_spine_wo",
            "within": "4h",
            "instead_of": None,
            "text": "MRI lumbar spine without contrast",
            "loinc": "30679-5",
            "because": ["SE1", "XE1"],
        }
    ]
    assert record["reasons"][0] == {
        "rule": "SE1",
        "flag": "RF_BLADDER_BOWEL",
        "origin": "seed",
        "priority": "emergency",
        "text": "Sudden onset with new trouble of bladder or bowel; the sphincter roots may be failing.",
        "because": {"symptoms.onset": "sudden", "symptoms.bladder_change": "new_or_worse"},
        "citation": "source text, paragraph 11; BMJ Best Practice, cauda equina syndrome; "
        "GIRFT pathway and audits, suspected cauda equina syndrome",
    }
    assert set(record["protocol"]) == {"name", "version", "digest"}
    assert json.loads(json.dumps(record)) == record


def test_a_route_and_its_floors_are_reasons_without_a_flag():
    decision = decide(limiting_factor="block", age=15)
    told = [(each.rule, each.flag, each.origin, each.priority, each.because) for each in decision.reasons]
    assert told == [
        ("SJ2", None, "seed", "routine", {"symptoms.limiting_factor": "block"}),
        ("FP2", None, "extension", "prompt", {"patient.age_years": 15}),
    ]
    assert (decision.suspected, decision.send_to) == ("joint: bone spur or loose body", "orthopedics")


def test_all_fired_rules_are_told_in_the_order_of_owners():
    decision = decide(
        bladder_change="new_or_worse",
        cold_pale_limb="present",
        swallowing_difficulty="new_or_worse",
        free_text="soiled",
    )
    assert reason_ids(decision) == ["XE11", "XE6", "XE1", "XU12"]
    assert decision.red_flags == ("RF_BLADDER_BOWEL", "RF_CONFLICT", "RF_LIMB_ISCHAEMIA", "RF_RESP_BULBAR")
    assert decision.send_to == "vascular on call, by phone"


def test_the_owner_need_not_be_of_the_highest_priority():
    decision = decide(free_text="soiled", prior_xray_hip="fracture")
    assert (decision.priority, reason_ids(decision)) == ("urgent", ["XU2", "XU12"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.rule)
def test_the_reason_quotes_answers_that_were_given(row):
    given = form(**row.fires)
    [reason] = [reason for reason in triage(given, active()).reasons if reason.rule == row.rule]
    paths = {field.path: field.name for field in active().form.comparable.values()}
    assert reason.because
    for path, answer in reason.because.items():
        if path == "patient.age_years":
            assert answer == given.age_years
        elif path != "encounter.free_text":
            assert answer == given.answers.get(paths[path], "not_asked")


def test_a_call_back_names_what_is_unanswered():
    [reason] = decide(saddle_numbness=None, onset="unknown", back_pain="present").reasons
    assert reason.rule == "XU11"
    assert {
        "symptoms.onset": "unknown",
        "symptoms.saddle_numbness": "not_asked",
        "symptoms.back_pain": "present",
    }.items() <= reason.because.items()


def test_incomplete_also_beside_an_urgent_rule_and_never_beside_an_emergency():
    urgent = decide(prior_xray_hip="fracture", bladder_change="unknown")
    assert (urgent.incomplete, urgent.red_flags) == (True, ("RF_HIP_FRACTURE",))
    recent = decide(prior_xray_hip="fracture", bladder_change="unknown", onset="subacute", duration_days=30)
    assert recent.red_flags == ("RF_HIP_FRACTURE", "RF_UNANSWERED")
    emergency = decide(fast_face="present", bladder_change="unknown")
    assert emergency.incomplete is False
    assert [each.rule for each in emergency.undetermined] == ["XE1"]


def test_late_rules_do_not_make_a_form_incomplete():
    decision = decide(free_text="wet myself")
    assert (decision.red_flags, decision.incomplete) == (("RF_CONFLICT",), False)


def test_the_same_form_gives_the_same_decision_and_is_not_changed():
    given = form(bladder_change="new_or_worse", fever=None)
    before = given.record()
    assert triage(given, active()).record() == triage(given, active()).record()
    assert given.record() == before


def test_screening_is_the_queue_of_the_decision():
    for answers in (
        {},
        {"onset": None},
        {"fast_arm": "present"},
        {"free_text": "soiled"},
        {"limiting_factor": "block"},
    ):
        lane = screen(form(**answers), active())
        assert (lane == "priority") is (decide(**answers).queue == "urgent")


def test_exchanging_left_and_right_changes_nothing():
    left = decide(side="left", knee_reflex_left="absent", mrc_hip_flexion_right=2, back_pain="present")
    right = decide(side="right", knee_reflex_right="absent", mrc_hip_flexion_left=2, back_pain="present")
    assert (left.queue, left.pattern, left.imaging, left.evidence) == (
        right.queue,
        right.pattern,
        right.imaging,
        right.evidence,
    )


def texts():
    protocol = active()
    said = [*protocol.rules.values(), *protocol.routes, *protocol.floors]
    yield from (text for each in said for text in (each.headline, each.why))
    yield from (
        text for each in (*protocol.rules.values(), *protocol.routes) for text in (each.suspected, each.send_to)
    )
    yield from protocol.imaging.cautions.values()
    yield from (text for field in protocol.form.comparable.values() for text in (field.label, field.help))


def test_no_text_blames_the_patient_or_promises_a_diagnosis():
    for text in texts():
        lowered = (text or "").lower()
        assert not any(word in lowered for word in ("not trying", "effort", "malinger", "pretend", "faking", "refuses"))
        assert "diagnosed" not in lowered


def test_every_pattern_is_used_and_every_route_names_one():
    patterns = {route.pattern for route in active().routes} | {"red_flag"}
    assert patterns == set(active().patterns)
    assert len(patterns) == 14


def test_calm_means_that_every_yes_or_no_question_is_answered_no():
    assert len(TRI_ABSENT) > 35
    assert decide().undetermined == ()


def test_every_team_that_is_needed_is_named_once_the_owner_first():
    decision = decide(fast_face="present", onset="sudden", bladder_change="new_or_worse")
    assert decision.teams == ("stroke team", "spinal / emergency department on call")  # XE1's is one of SE1's
    assert decide(limiting_factor="block").teams == ("orthopedics",)


@pytest.mark.parametrize(
    ("answers", "minutes", "ambulance"),
    [
        ({"fast_face": "present"}, 10, True),  # XE13
        ({"bladder_change": "new_or_worse"}, 10, False),
        ({"mechanism": "high_energy_trauma", "leg_short_externally_rotated": "present"}, 10, False),  # XE18
        ({"systolic_bp": 90}, 10, True),  # XE17
        ({"prior_xray_hip": "fracture"}, 240, False),
        ({"prior_xray_hip": "fracture", "free_text": "wet myself"}, 60, False),
        ({"onset": None}, 60, False),
        ({"age": 15}, 4320, False),
        ({"saddle_numbness": "unknown"}, 1440, False),  # incomplete
        ({"onset": "sudden", "mechanism": "none"}, 1440, False),  # SP1 beside a route that is prompt already
        ({}, None, False),
    ],
)
def test_it_says_how_soon_a_clinician_speaks_to_the_patient_and_whether_an_ambulance_goes(answers, minutes, ambulance):
    decision = decide(**answers)
    assert (decision.contact_minutes, decision.ambulance) == (minutes, ambulance)


def test_the_mixed_route_names_every_answer_that_counted_and_the_lines_have_their_points():
    decision = decide(
        limiting_factor="weakness",
        anterior_thigh_pain_radiating="present",
        pinching_or_catching="present",
        known_hip_osteoarthritis="present",
    )
    [reason] = decision.reasons
    assert (reason.rule, reason.because) == (
        "MX2",
        {
            "symptoms.limiting_factor": "weakness",
            "symptoms.anterior_thigh_pain_radiating": "present",
            "symptoms.pinching_or_catching": "present",
            "history.known_hip_osteoarthritis": "present",
        },
    )
    assert decision.record()["evidence_lines"] == [
        {"table": "nerve", "points": 2, "text": "true weakness"},
        {"table": "nerve", "points": 2, "text": "pain down the front of the thigh"},
        {"table": "joint", "points": 2, "text": "the hip pinches or catches"},
        {"table": "joint", "points": 2, "text": "osteoarthritis of the hip is known"},
    ]


def test_a_route_for_want_of_evidence_names_the_answers_that_give_none():
    [reason] = decide(onset="subacute").reasons
    assert reason.rule == "SC1A"
    assert reason.because["symptoms.limiting_factor"] == "pain"


def test_what_is_only_mentioned_changes_nothing_else():
    said = decide(free_text="Advised to return if she wets herself or her face droops.").record()
    assert said.pop("mentioned") == ["bladder", "stroke"]
    silent = decide().record()
    assert silent.pop("mentioned") == []
    assert said == silent


def test_a_box_that_says_so_silences_what_is_mentioned():
    assert decide(free_text="return if she wets herself", bladder_change="longstanding_unchanged").mentioned == ()


@pytest.mark.parametrize(("old", "new"), [("present", "new_or_worse"), ("absent", "none"), ("unknown", "unknown")])
@pytest.mark.parametrize("name", ["bilateral_sciatica", "breathlessness_rest_or_lying", "swallowing_difficulty"])
def test_an_old_answer_is_read_as_the_new_one(name, old, new):
    assert decide(**{name: old}) == decide(**{name: new})


def test_no_other_field_takes_an_old_answer():
    assert decide(bladder_change="present").undetermined == decide(bladder_change="unknown").undetermined


ANSWERS = {
    each.name: [None, *each.accepts] if each.values else [None, 0, 1, 2, 4, 14, 42, 43, 95, 140]
    for each in active().form.fields.values()
    if each.values or each.type == "number"
}


@given(st.fixed_dictionaries({}, optional={name: st.sampled_from(said) for name, said in ANSWERS.items()}))
@settings(max_examples=300, deadline=None)
def test_every_reason_names_answers_and_the_place_is_that_of_the_decision(answers):
    given_form = form(**answers)
    decision, found = triage(given_form, active()), place(given_form, active())
    assert all(reason.because for reason in decision.reasons)
    assert (found.queue, found.priority, found.pattern) == (decision.queue, decision.priority, decision.pattern)
    assert (screen(given_form, active()) == "priority") is (decision.queue == "urgent")
    assert all(each.missing for each in decision.undetermined)
