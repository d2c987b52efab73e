"""Runs the `referrals` command as `python -m services.cli`, which is how `referrals up` starts its processes."""

from services.cli.main import main

main()
