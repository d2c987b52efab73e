"""Lets `python -m services.cli` be the `referrals` command, which is how `referrals up` starts its processes."""

from services.cli.main import main

main()
