"""The watchman: scheduler, escalation, event numbering and clean-up."""
