"""Contraindications and cautions, in the order of work of part 3.9 of the triage specification."""

from .answers import Answers
from .imaging import ImagingList
from .truth import certain, every, possible

MRI_GIVES_WAY_TO = {
    "mri_lumbar_spine_wo": "ct_lumbar_spine_wo",
    "mri_lumbar_spine_wwo": "ct_lumbar_spine_wo",
    "mri_whole_spine_wo": "ct_whole_spine_wo",
    "mri_whole_spine_wwo": "ct_whole_spine_w",
    "mri_pelvis_hip_wo": "ct_hip_pelvis_wo",
}


class SafetyCheck:
    """One pass over the imaging list of one patient; it changes the list and gathers cautions."""

    def __init__(self, a: Answers, listed: ImagingList, *, serious: bool, bone_in_question: bool) -> None:
        self.a = a
        self.listed = listed
        self.serious = serious
        self.bone_in_question = bone_in_question
        self.pregnant = certain(a.says("pregnancy_status", "pregnant"))
        self.poor_kidneys = certain(a.under("egfr", 30))
        self.cautions: set[str] = set()

    def run(self) -> None:
        self.listed.merge()
        self.pregnancy()
        self.gadolinium()
        self.magnet()
        self.iodine()
        if self.pregnant and not self.serious:
            for study in self.listed.studies("ct_", "cta_"):
                self.listed.remove(study)
        self.pregnancy_test()
        if self.listed and certain(self.a.under("age_years", 16)):
            self.cautions.add("child_dose_and_sedation")

    def pregnancy(self) -> None:
        if not self.pregnant:
            return
        self.cautions.add("pregnancy")
        self.without_gadolinium()
        if not self.serious and "xr_hip_pelvis" in self.listed:
            self.listed.replaced_by("xr_hip_pelvis", "mri_hip_wo")

    def gadolinium(self) -> None:
        if self.poor_kidneys and (self.listed.gadolinium() or self.listed.iodinated()):
            self.cautions.add("egfr_below_30")
        if self.listed.gadolinium():
            self.ask_about_reaction("gadolinium_reaction")
        if self.poor_kidneys or self.a.says("gadolinium_reaction", "severe"):
            self.without_gadolinium()

    def without_gadolinium(self) -> None:
        for study in self.listed.gadolinium():
            self.listed.replaced_by(study, study.removesuffix("_wwo") + "_wo")

    def ask_about_reaction(self, reaction: str) -> None:
        if self.a.says(reaction, "severe"):
            self.cautions.add(reaction)
        elif possible(self.a.says(reaction, "mild")):
            self.cautions.add("contrast_history_check")

    def magnet(self) -> None:
        if not self.listed.magnetic():
            return
        no_word = self.a.unanswered("mri_safety")
        has_implant = not self.a.unanswered("implant") and not self.a.says("implant", "none")
        if self.a.says("mri_safety", "unsafe") or (no_word and has_implant):
            self.cautions.add("mri_contraindicated")
            self.leave_mri()
            self.listed.merge()
            return
        if self.a.says("mri_safety", "mr_conditional") or (self.a.says("mri_safety", "safe") and has_implant):
            self.cautions.add("mri_device_check")
        if no_word:
            self.cautions.add("mri_safety_unknown")
        if self.a.present("claustrophobia"):
            self.cautions.add("claustrophobia")
        hip_listed = "mri_hip_wo" in self.listed or "mri_pelvis_hip_wo" in self.listed
        if hip_listed and self.a.present("hip_prosthesis"):
            self.cautions.add("hip_prosthesis_metal_artefact")

    def leave_mri(self) -> None:
        soft_tissue_view = "ct_hip_pelvis_wo" if self.bone_in_question else "us_hip"
        for study in self.listed.magnetic():
            first = self.listed.replaced_by(study, MRI_GIVES_WAY_TO.get(study, soft_tissue_view))
            if study.startswith("mri_lumbar_spine"):
                self.listed.add("ct_lumbar_myelogram", "specialist", first)

    def iodine(self) -> None:
        if not self.listed.iodinated():
            return
        self.ask_about_reaction("iodinated_reaction")
        if self.a.says("iodinated_reaction", "severe"):
            for study in self.listed.contrast_ct():
                self.listed.replaced_by(study, study + "o")

    def pregnancy_test(self) -> None:
        if self.listed.ionising() and self.pregnancy_not_excluded():
            self.cautions.add("pregnancy_test_first")

    def pregnancy_not_excluded(self) -> bool:
        if not self.a.unanswered("pregnancy_status"):
            return certain(self.a.says("pregnancy_status", "possible"))
        fertile_age = every(self.a.at_least("age_years", 12), self.a.at_most("age_years", 55))
        return possible(fertile_age) and not self.a.says("sex_at_birth", "male")
