"""A decision and its form in words for the reader: labels of fields, rules that one answer would settle, notes."""
