"""The line in plain words that a result carries: of the owner's rule or of the route (part 3.3.1)."""

LINES = """
    SE1 | Loss of bladder or bowel control with sudden weakness
    SE2 | Numbness in the saddle area
    SE3 | Rapidly worsening weakness in both legs
    XE1 | New loss of bladder or bowel control
    XE2 | Another sign of cauda equina syndrome
    XE3 | New pain down both legs
    XE4 | Both legs suddenly affected
    XE5 | Both legs weak with lost reflexes or after an infection
    XE6 | Breathless at rest or trouble swallowing, new or with growing weakness
    XE7 | Signs of the spinal cord, recent or with a danger sign
    XE8 | Cancer, with back pain or a neurological sign
    XE9 | Back pain with fever or another risk of spinal infection
    XE10 | Painful hip with signs of infection
    XE11 | Cold, pale or pulseless leg
    XE12 | Sudden belly or tearing pain, known aneurysm, fainting, or shock with back or hip pain
    XE13 | Signs of a stroke
    XE14 | Major injury with back pain or weakness
    XE15 | Weak after an epidural, spinal injection or spinal surgery
    XE16 | Child with recent unexplained weakness
    XE17 | Very low blood pressure or very fast pulse
    XE18 | Major injury of the hip
    XU1 | Blood thinner, bleeding disorder or recent procedure with hip, back or thigh pain
    XU1E | Possible bleed into the hip muscle, with signs of shock or blood loss
    XU2 | Possible hip fracture
    XU3 | Sudden pain around an artificial hip
    XU4 | Cannot straighten the knee after an injury or a sudden pain
    XU5 | Child or adolescent with hip, thigh or knee pain who walks badly or has a stiff hip
    XU6 | Endurance athlete with groin pain on walking
    XU7 | One leg weaker within days
    XU8 | Severe recent weakness with a nerve pattern
    XU9 | Hip pain with cancer, or an avulsed lesser trochanter
    XU10 | Signs of infection with hip or back pain
    XU13 | Old saddle or sphincter deficit that nobody has explained
    XU14 | Weak leg after an operation or a puncture
    XU15 | Back pain, weight loss and a weak leg at 50 or over
    XU16 | Acute hip pain that cannot bear weight
    XU11 | Red-flag questions unanswered in a problem that may be new
    XU12 | The free text names a danger that the answers do not
    FR1 | Red-flag questions are unanswered
    FR2 | The form contradicts itself
    FR3 | An old bladder, bowel or saddle deficit has to be confirmed
    FR6 | Slow signs of the spinal cord, with hip evidence as well
    FR7 | Slow signs of the spinal cord
    FR4 | The leg can be lifted
    FR5 | The leg can be lifted; not a slow onset
    SN0 | The Hoover sign points to functional weakness
    SN1 | Signs of a compressed nerve root, L2 to L4
    SN2 | Weakness that grows over months, with wasting or in both legs
    SM1A | Recent strain or tear of the hip flexor
    SM1 | Older strain or tear of the hip flexor
    SM2 | Hip flexors weak from long disuse
    SJ2 | The hip is mechanically blocked
    SJ1A | Hip joint problem that pinches or catches
    SJ1 | Hip joint problem
    SC1 | Nothing points to nerve, muscle or joint yet
    SC1A | Nothing points to nerve, muscle or joint yet; not a slow onset
    MX1 | Mixed picture with an objective nerve sign
    MX2 | Mixed picture without an objective nerve sign
"""


def read_lines(table: str) -> dict[str, str]:
    pairs = (line.split("|") for line in table.strip().splitlines())
    return {rule.strip(): headline.strip() for rule, headline in pairs}


HEADLINES = read_lines(LINES)
