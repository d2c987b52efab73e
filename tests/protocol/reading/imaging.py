"""The imaging list: which study gives way to which, and in what order it is read (triage specification, part 3.9)."""

from collections.abc import Iterable
from dataclasses import dataclass

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


@dataclass
class Item:
    """When a study is due, and the study that it stands for after a contraindication."""

    within: str
    instead_of: str | None = None


class ImagingList:
    """Studies, each with its time; a study stands in it once, with the earliest time asked for."""

    def __init__(self, wanted: Iterable[tuple[str, str]]) -> None:
        self.items: dict[str, Item] = {}
        for study, within in wanted:
            self.add(study, within)

    def __contains__(self, study: str) -> bool:
        return study in self.items

    def __bool__(self) -> bool:
        return bool(self.items)

    def add(self, study: str, within: str, instead_of: str | None = None) -> None:
        """List the study or bring its time forward; a study that already stands for another keeps that."""
        item = self.items.setdefault(study, Item(within))
        item.within = min(item.within, within, key=TIMES.index)
        item.instead_of = item.instead_of or instead_of

    def remove(self, study: str) -> None:
        self.items.pop(study, None)

    def merged_into(self, study: str, successor: str) -> None:
        """A wider study is no replacement: the successor only takes over what the study already stood for."""
        if study in self.items:
            item = self.items.pop(study)
            self.add(successor, item.within, item.instead_of)

    def replaced_by(self, study: str, successor: str) -> str:
        """Put the successor in the study's place; return the study that stood first."""
        item = self.items.pop(study)
        first = item.instead_of or study
        self.add(successor, item.within, first)
        return first

    def merge(self) -> None:
        self.merge_spine(LUMBAR_MRI, "mri_whole_spine_wo", "mri_whole_spine_wwo")
        if self.merge_spine(LUMBAR_CT, "ct_whole_spine_wo", "ct_whole_spine_w"):
            self.remove("ct_lumbar_myelogram")
        for study, successor in ORDERED_MERGES:
            if successor in self:
                self.merged_into(study, successor)

    def merge_spine(self, lumbar: tuple[str, ...], plain: str, contrast: str) -> bool:
        """Lumbar into whole spine, with contrast if any of them had it; tells whether anything was merged."""
        parts = [study for study in lumbar if study in self]
        if not parts or (plain not in self and contrast not in self):
            return False
        with_contrast = contrast in self or any(study.endswith("_wwo") for study in parts)
        for study in parts:
            self.merged_into(study, contrast if with_contrast else plain)
        return True

    def studies(self, *beginnings: str, ending: str = "") -> list[str]:
        return sorted(study for study in self.items if study.startswith(beginnings) and study.endswith(ending))

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

    def in_order(self) -> list[dict[str, str | None]]:
        """By time, then CT angiography, then name."""
        ranked = sorted(
            self.items.items(),
            key=lambda pair: (TIMES.index(pair[1].within), not pair[0].startswith("cta_"), pair[0]),
        )
        return [{"study": study, "within": item.within, "instead_of": item.instead_of} for study, item in ranked]
