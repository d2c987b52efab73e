"""The life cycle of a referral: statuses, time targets and versions."""
