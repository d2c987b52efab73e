"""A second reading of the triage specification, written from its text alone.

It shares no line and no data with the code it is compared with, and is written another way on purpose: rules are
plain functions, not data, so that one misreading is not made twice. It is meant to be read beside the
specification, part by part.
"""

from .evaluate import evaluate
from .next_questions import ask_next

__all__ = ["ask_next", "evaluate"]
