"""What is asked after triage: what to ask next, the answers as a new version, and what follows from them."""
