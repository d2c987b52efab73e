"""The check of the free text: from characters to words, findings and outcomes (part 4, step 9)."""
