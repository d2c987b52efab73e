"""Erases what is kept long enough, or what a patient asked to have erased; holds keep a case; every run is recorded."""
