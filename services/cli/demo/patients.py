"""Made-up patients for the demo: names, whom to call back and in which language; their numbers are kept for fiction."""

from typing import Any

from services.api.openapi.examples import form_of

GIVEN = {
    "female": ("Grace", "Amina", "Ingrid", "Siobhan", "Mei", "Olena", "Ruth", "Fatima", "Clara", "Nkechi", "Elif"),
    "male": ("Daniel", "Tomasz", "Samuel", "Yusuf", "Alan", "Marco", "Pieter", "Kofi", "Ivan", "Hamish", "Rafael"),
}
FAMILY = (
    *("Adeyemi", "Brandt", "Cole", "Demir", "Evans", "Fraser", "Gallo"),
    *("Hughes", "Ito", "Jansen", "Kowalska-Reid", "Lindqvist", "Mensah"),
)
LANGUAGES = {2: "pl", 5: "ti", 9: "pt-BR", 14: "ur", 20: "uk"}  # by the patient's number, for some
CLINICS = ("Dr P. Marsh, GP, 020 7946 0311", "Ward 6, 020 7946 0326", "Emergency department, 020 7946 0340")
ALIKE = 24  # patients, after whom the same languages come again


def form_for(case: dict[str, Any], number: int, mrn: str, **encounter: Any) -> dict[str, Any]:
    """Return the form of a worked case for the patient with a number, who has the record number `mrn`."""
    contact: dict[str, Any] = {
        "callback_phone": f"020 7946 0{number * 37 % 1000:03}",
        "referrer_contact": CLINICS[number % len(CLINICS)],
    }
    if number % ALIKE in LANGUAGES:
        contact["interpreter_language"] = LANGUAGES[number % ALIKE]
    form = form_of(case, **contact, **encounter)
    given = GIVEN.get(form["patient"].get("sex_at_birth"), GIVEN["female"])
    name = {"given_name": given[number * 5 % len(given)], "family_name": FAMILY[number * 3 % len(FAMILY)]}
    return {**form, "patient": form["patient"] | name | {"mrn": mrn}}
