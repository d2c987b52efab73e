"""The imaging list: which study gives way to which, and in what order it is read (triage specification, part 3.9)."""

from collections.abc import Iterable

TIMES = ("immediate", "4h", "24h", "72h", "2w", "specialist", "routine")
LUMBAR_MRI = ("mri_lumbar_spine_wo", "mri_lumbar_spine_wwo")
LUMBAR_CT = ("ct_lumbar_spine_wo",)
ORDERED_MERGES = (
    ("mri_whole_spine_wo", "mri_whole_spine_wwo"),
    ("ct_whole_spine_wo", "ct_whole_spine_w"),
    ("ct_abdomen_pelvis_wo", "ct_abdomen_pelvis_w"),
    ("xr_hip_pelvis", "xr_pelvis_ap_frog"),
    ("xr_hip_pelvis", "xr_pelvis_ap_crosstable"),
    ("mri_hip_wo", "mri_pelvis_hip_wo"),
)


class ImagingList:
    """Studies, each with its time; a study stands in it once, with the earliest time asked for."""

    def __init__(self, wanted: Iterable[tuple[str, str]]) -> None:
        self.time: dict[str, str] = {}
        for study, within in wanted:
            self.add(study, within)

    def __contains__(self, study: str) -> bool:
        return study in self.time

    def __bool__(self) -> bool:
        return bool(self.time)

    def add(self, study: str, within: str) -> None:
        self.time[study] = min(within, self.time.get(study, within), key=TIMES.index)

    def remove(self, study: str) -> None:
        self.time.pop(study, None)

    def lower_priority(self, study: str, successor: str) -> None:
        """The study leaves; the successor is listed with the earlier of the two times."""
        if study in self.time:
            self.add(successor, self.time.pop(study))

    def merge(self) -> None:
        self.merge_spine(LUMBAR_MRI, "mri_whole_spine_wo", "mri_whole_spine_wwo")
        if self.merge_spine(LUMBAR_CT, "ct_whole_spine_wo", "ct_whole_spine_w"):
            self.remove("ct_lumbar_myelogram")
        for study, successor in ORDERED_MERGES:
            if successor in self:
                self.lower_priority(study, successor)

    def merge_spine(self, lumbar: tuple[str, ...], plain: str, contrast: str) -> bool:
        """Lumbar into whole spine, with contrast if any of them had it; tells whether anything was merged."""
        parts = [study for study in lumbar if study in self]
        if not parts or (plain not in self and contrast not in self):
            return False
        with_contrast = contrast in self or any(study.endswith("_wwo") for study in parts)
        for study in parts:
            self.lower_priority(study, contrast if with_contrast else plain)
        return True

    def studies(self, *beginnings: str, ending: str = "") -> list[str]:
        return [study for study in self.time if study.startswith(beginnings) and study.endswith(ending)]

    def magnetic(self) -> list[str]:
        return self.studies("mri_")

    def gadolinium(self) -> list[str]:
        return self.studies("mri_", ending="_wwo")

    def contrast_ct(self) -> list[str]:
        return self.studies("ct_", ending="_w")

    def iodinated(self) -> list[str]:
        return [*self.studies("cta_", "ct_lumbar_myelogram"), *self.contrast_ct()]

    def ionising(self) -> list[str]:
        return self.studies("xr_", "ct_", "cta_")

    def in_order(self) -> list[dict[str, str]]:
        """By time, then CT angiography, then name."""
        ranked = sorted(
            self.time.items(),
            key=lambda item: (TIMES.index(item[1]), not item[0].startswith("cta_"), item[0]),
        )
        return [{"study": study, "within": within} for study, within in ranked]
