"""Who owns a case with several red flags: the first fired rule in the order of part 3.7, and what it says."""

IN_ORDER = """
    XE17 | shock from bleeding, infection or the aorta | emergency department
    XE12 | aortic aneurysm or dissection | emergency department / vascular
    XE11 | embolus or thrombosis | vascular on call, by phone
    XE13 | stroke | stroke team
    XE6 | neuromuscular failure | emergency department
    XE14 | spinal injury | trauma team
    XE18 | dislocation or fracture of the hip | trauma team
    XU1E | iliopsoas haematoma with shock or blood loss | emergency department
    XE16 | acute flaccid myelitis, myelitis, Guillain-Barre syndrome | paediatrics on call
    XE5 | Guillain-Barre syndrome | acute neurology; measure forced vital capacity
    SE1 | cauda equina syndrome | spinal / emergency department on call
    SE2 | cauda equina syndrome | spinal / emergency department on call
    XE1 | cauda equina syndrome | spinal on call
    XE2 | cauda equina syndrome | spinal on call
    XE3 | cauda equina syndrome suspected | spinal on call
    SE3 | cauda equina syndrome, cord, Guillain-Barre syndrome | spinal / emergency department on call
    XE4 | cord infarct, disc, aorta | emergency department
    XE7 | spinal cord compression or lesion | spinal / neurology on call
    XE15 | spinal haematoma or abscess | anaesthetics / spinal on call
    XE9 | epidural abscess, discitis | spinal / medicine on call
    XE8 | metastatic cord or root compression | metastatic cord compression coordinator
    XE10 | septic arthritis of the hip | orthopaedics on call
    XU13 | incomplete cauda equina syndrome, stable | spinal on call
    XU15 | metastatic cord or root compression as the first sign of cancer | metastatic cord compression coordinator
    XU2 | hip or insufficiency fracture | emergency department / orthopaedics
    XU3 | dislocation or periprosthetic fracture | orthopaedics on call
    XU1 | iliopsoas haematoma | emergency department
    XU14 | femoral nerve lesion, haematoma in the groin or behind the hip | the team that did the procedure
    XU4 | quadriceps or patellar tendon rupture, patella fracture | orthopaedics on call
    XU5 | slipped epiphysis, avulsion, Perthes disease | paediatric orthopaedics
    XU7 | root, plexus, diabetic amyotrophy | acute neurology
    XU8 | severe root lesion | spinal on call
    XU10 | psoas abscess | acute surgery / medicine
    XU9 | metastasis, pathological fracture | orthopaedics / oncology
    XU6 | femoral neck stress fracture | orthopaedics; crutches
    XU16 | fracture, infection, locked or dislocated joint | emergency department / orthopaedics
    XU11 | not known | duty clinician, call back within 60 min
    XU12 | not known | duty clinician, call back within 60 min
"""


def read_lines(table: str) -> dict[str, tuple[str, str]]:
    cells = ([cell.strip() for cell in line.split("|")] for line in table.strip().splitlines())
    return {rule: (suspected, send_to) for rule, suspected, send_to in cells}


OWNERS = read_lines(IN_ORDER)


def owner(fired: set[str]) -> dict[str, str | None]:
    """The owning rule with its suspected cause and addressee; all None without a red flag."""
    rule = next((rule for rule in OWNERS if rule in fired), None)
    suspected, send_to = OWNERS[rule] if rule else (None, None)
    return {"owner": rule, "suspected": suspected, "send_to": send_to}
