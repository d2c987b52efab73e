"""A protocol folder is read strictly: each kind of fault is refused with its path, and all of them at once."""

import shutil

import pytest

from shared.protocols import ACTIVE, ProtocolError, active, load
from shared.protocols.releases import digests


@pytest.fixture
def folder(tmp_path):
    """A draft: a copy of the active version whose digest nobody has pinned."""
    return shutil.copytree(ACTIVE, tmp_path / ACTIVE.name)


def change(folder, file, old, new):
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def faults(folder):
    with pytest.raises(ProtocolError) as refused:
        load(folder)
    return list(refused.value.faults)


def test_a_copy_is_the_same_protocol(folder):
    assert load(folder).identity == active().identity


# file, what stands there, what is put there, the fault
FAULTS = [
    (
        "rules/urgent.yaml",
        "  XU3:\n",
        "  XU3:\n    colour: red\n",
        "rules/urgent.yaml: rules.XU3.colour: Unknown field.",
    ),
    ("form/history.yaml", "title: History", "titel: History", "form/history.yaml:.titel: Unknown field."),
    (
        "form/symptoms.yaml",
        "type: course",
        "type: curse",
        "form/symptoms.yaml: fields.bladder_change.type: Must be one of",
    ),
    (
        "form/symptoms.yaml",
        "    maximum: 43830\n",
        "",
        "form/symptoms.yaml: fields.duration_days.maximum: Missing for this",
    ),
    (
        "form/symptoms.yaml",
        "unanswered: [unsure]",
        "unanswered: [unsur]",
        "form/symptoms.yaml: fields.limiting_factor.unanswered: Not among the values: unsur.",
    ),
    (
        "form/observations.yaml",
        "  inr:\n",
        "  fever:\n",
        "form/observations.yaml: fields.fever: this name is taken by symptoms.fever",
    ),
    (
        "facts.yaml",
        "onset = sudden}",
        "onsett = sudden}",
        "facts.yaml: facts.SUDDEN.condition: no field is named onsett",
    ),
    ("facts.yaml", "onset = sudden}", "onset = soon}", "facts.yaml: facts.SUDDEN.condition: onset has no answer soon"),
    ("facts.yaml", "onset = sudden}", "onset = }", "facts.yaml: facts.SUDDEN.condition: cannot be read"),
    (
        "facts.yaml",
        "  SUDDEN:",
        "  INCOMPLETE:",
        "facts.yaml: facts.INCOMPLETE: this name belongs to a fact that is counted",
    ),
    (
        "facts.yaml",
        "onset = sudden}",
        "SUDDEN}",
        "facts.yaml, rules: these ask for one another in a circle: SUDDEN, SUDDEN",
    ),
    (
        "rules/seed.yaml",
        "condition: SUDDEN AND",
        "condition: SUDEN AND",
        "rules/seed.yaml: rules.SE1.condition: no fact is named SUDEN",
    ),
    (
        "rules/urgent.yaml",
        "NOT FIRED(XE8)",
        "NOT FIRED(XE88)",
        "rules/urgent.yaml: rules.XU9.condition: no rule is named XE88",
    ),
    (
        "rules/emergency.yaml",
        "when: CES_FIRED",
        "when: CES_FIRD",
        "rules/emergency.yaml: rules.XE4.imaging.0.when: no fact is named CES_FIRD",
    ),
    (
        "rules/emergency.yaml",
        "study: cta_aorta",
        "study: cta_aortta",
        "rules/emergency.yaml: rules.XE11.imaging.0.study: no study is named cta_aortta",
    ),
    (
        "rules/seed.yaml",
        "within: 4h",
        "within: 5h",
        "rules/seed.yaml: rules.SE1.imaging.0.within: no time is named 5h",
    ),
    (
        "rules/seed.yaml",
        "    citation: [P11, F1, F2]\n",
        "",
        "rules/seed.yaml: rules.SE1.citation: Missing data for required field.",
    ),
    ("rules/seed.yaml", "citation: [P11]", "citation: []", "rules/seed.yaml: rules.SE2.citation: Must not be empty."),
    (
        "rules/seed.yaml",
        "citation: [P11]",
        "citation: [P14]",
        "rules/seed.yaml: rules.SE2.citation: no source is named P14",
    ),
    ("rules/seed.yaml", "source: ", "sources: ", "rules/seed.yaml:.source: Missing data for required field."),
    ("rules/seed.yaml", "origin: seed", "origin: sead", "rules/seed.yaml: rules.SE1.origin: Must be one of"),
    (
        "rules/seed.yaml",
        "priority: emergency",
        "priority: prompt",
        "rules/seed.yaml: rules.SE1.priority: Must be one of",
    ),
    ("rules/seed.yaml", "  SE3:", "  SE2:", 'rules/seed.yaml: the key "SE2" in line'),
    ("rules/urgent.yaml", "  XU3:", "  SE3:", "rules/urgent.yaml: rules.SE3: this id is taken in rules/seed.yaml"),
    ("rules/late.yaml", "  XU11:", "  first:", "rules/late.yaml:.rules.first: Not the id of a rule"),
    ("owners.yaml", "XU12]", "XU99]", "owners.yaml: owners: no rule is named XU99"),
    ("owners.yaml", "XU12]", "XU11]", "owners.yaml: owners: XU11 stands 2 times, not once"),
    (
        "routes.yaml",
        "condition: always",
        "condition: GRADUAL",
        "routes.yaml: routes.MX2: the last route has to take every",
    ),
    ("routes.yaml", "pattern: mixed\n", "pattern: mixt\n", "routes.yaml: routes.MX2.pattern: no pattern is named mixt"),
    ("routes.yaml", "queue: neurology", "queue: urgent", "routes.yaml: routes.FR6.queue: Must be one of"),
    ("evidence.yaml", "points: 2", "points: two", "evidence.yaml: nerve.0.points: Not a valid integer."),
    (
        "evidence.yaml",
        "condition: WEAKNESS",
        "condition: WEEKNESS",
        "evidence.yaml: nerve.0.condition: no fact is named",
    ),
    ("evidence.yaml", "threshold: 3", "threshold: '3'", "evidence.yaml:.threshold: Not a valid integer."),
    (
        "imaging.yaml",
        "loinc: 30679-5",
        "loinc: 306795",
        "imaging.yaml: studies.mri_lumbar_spine_wo.loinc: Not a valid string.",
    ),
    ("imaging.yaml", "beside: [mri]", "beside: [mrj]", "imaging.yaml: steps.8.beside: no group is named mrj"),
    (
        "imaging.yaml",
        "caution: pregnancy}",
        "caution: pregnant}",
        "imaging.yaml: steps.1.caution: no caution is named pregnant",
    ),
    (
        "imaging.yaml",
        "myelogram@specialist",
        "myelogram@soon",
        "imaging.yaml: steps.11.replace.mri_lumbar_spine_wo: no time is",
    ),
    ("imaging.yaml", "mri: [mri_*]", "mri: [mir_*]", "imaging.yaml: groups.mri: no study matches mir_*"),
    ("imaging.yaml", "{routine: 2w}", "{routine: 3w}", "imaging.yaml: prompt_times: no time is named 3w"),
    (
        "free_text.yaml",
        "[bladder_change]",
        "[bladder]",
        "free_text.yaml: groups.bladder.boxes: no field is named bladder",
    ),
    ("free_text.yaml", "soiling", "Soiling", "free_text.yaml:.groups.bowel.nouns.3: Not words in small letters."),
    (
        "free_text.yaml",
        "direct: 12",
        "direct: 0",
        "free_text.yaml:.windows.direct: Must be greater than or equal to 1.",
    ),
    ("free_text.yaml", "[urine, urine", "[urin, urine", "free_text.yaml:.concepts: No concept is named urin."),
    ("ask_next.yaml", "  side:", "  sides:", "ask_next.yaml: questions: no field is named sides"),
    (
        "ask_next.yaml",
        "[left, right, both]",
        "[left, wrong]",
        "ask_next.yaml: questions.side: side has no answer wrong",
    ),
    (
        "form/symptoms.yaml",
        "absent: none}",
        "absent: never}",
        "form/symptoms.yaml: fields.bilateral_sciatica.old_answers: Not among the values: never.",
    ),
    (
        "targets.yaml",
        "    acknowledge_minutes: 10\n",
        "",
        "targets.yaml:.classes.emergency: Give acknowledge_minutes or acknowledge_working_days, one of them.",
    ),
    ("targets.yaml", "[XE6, ", "[XE66, ", "targets.yaml: classes.emergency.ambulance_for_rules: no rule is named XE66"),
    (
        "sources.yaml",
        "  F49: {title:",
        "  F49: {titel:",
        "sources.yaml: sources.F49.title: Missing data for required field.",
    ),
    ("protocol.yaml", "version: 2026.2.0", "version: 2026.2.1", "protocol.yaml: version: the folder is named 2026.2.0"),
    ("protocol.yaml", "name: ", "name: [", "protocol.yaml: cannot be read: while parsing"),
]


@pytest.mark.parametrize(("file", "old", "new", "fault"), FAULTS, ids=[f"{row[0]} {row[3][-30:]}" for row in FAULTS])
def test_a_fault_is_refused_with_its_path(folder, file, old, new, fault):
    change(folder, file, old, new)
    told = faults(folder)
    assert [line for line in told if line.startswith(fault)], told


def test_every_fault_is_told_at_once(folder):
    change(folder, "rules/seed.yaml", "origin: seed", "origin: sead")
    change(
        folder,
        "rules/urgent.yaml",
        "condition: hip_prosthesis = present AND",
        "condition: hip = present AND NOBODY AND",
    )
    change(folder, "evidence.yaml", "condition: WEAKNESS", "condition: limiting_factor = weak")
    change(folder, "imaging.yaml", "loinc: 30679-5", "lionc: 30679-5")
    (folder / "targets.yaml").unlink()
    (folder / "rules" / "more.yaml").write_text("rules: {}\n")
    assert faults(folder) == [
        "rules/more.yaml: this file belongs to no protocol",
        f"targets.yaml: cannot be read: [Errno 2] No such file or directory: '{folder / 'targets.yaml'}'",
        "rules/seed.yaml: rules.SE1.origin: Must be one of: seed, extension.",
        "rules/urgent.yaml: rules.XU3.condition: no field is named hip",
        "rules/urgent.yaml: rules.XU3.condition: no fact is named NOBODY",
        "evidence.yaml: nerve.0.condition: limiting_factor has no answer weak",
        "imaging.yaml: studies.mri_lumbar_spine_wo.loinc: Missing data for required field.",
        "imaging.yaml: studies.mri_lumbar_spine_wo.lionc: Unknown field.",
    ]


FILES = sorted(path.relative_to(ACTIVE).as_posix() for path in ACTIVE.rglob("*.yaml"))
CONTENTS = ["", "5", "[1, 2]", "{}", "rules: 5\nsource: x", "rules: {5: {}}\nsource: x", "\x00"]


@pytest.mark.parametrize("content", CONTENTS)
def test_no_content_of_the_files_breaks_the_reader(folder, content):
    for file in FILES:
        (folder / file).write_text(content)
    told = faults(folder)
    assert all(any(line.startswith(file) for line in told) for file in FILES)


@pytest.mark.parametrize("file", FILES)
def test_the_loss_of_a_file_does_not_break_the_reader(folder, file):
    (folder / file).unlink()
    assert any(line.startswith(f"{file}: cannot be read") for line in faults(folder))


def test_a_released_protocol_that_changed_is_refused(folder):
    (folder.parent / "digests.yaml").write_text(f"{folder.name}: {active().digest}\n")
    load(folder)
    change(folder, "evidence.yaml", "threshold: 3 ", "threshold: 4 ")
    [fault] = faults(folder)
    assert fault.startswith(f"2026.2.0: was released as {active().digest} and is now sha256:")


def test_the_digest_follows_what_is_said_and_its_order_not_how_it_is_laid_out(folder):
    change(folder, "evidence.yaml", "threshold: 3 ", "threshold:   3 # as before ")
    assert load(folder).digest == active().digest
    change(folder, "evidence.yaml", "threshold: ", "lead: 2\nthreshold: ")
    change(folder, "evidence.yaml", "\nlead: 2  #", "\n#")
    assert load(folder).digest != active().digest


def test_every_released_version_is_pinned_and_loads():
    pinned = digests(ACTIVE.parent)
    assert set(pinned) == {path.name for path in ACTIVE.parent.iterdir() if path.is_dir()}
    assert all(load(ACTIVE.parent / version).digest == digest for version, digest in pinned.items())
