"""Maps each `referrals` command to its module, in the order in which `--help` lists them."""

COMMANDS = {
    "up": ("services.cli.run.up", "up"),
    "demo": ("services.cli.demo", "demo"),
    "doctor": ("services.cli.checks.doctor", "doctor"),
    "watch": ("services.cli.watch", "watch"),
    "people": ("services.cli.admin.people", "people"),
    "keys": ("services.cli.admin.keys", "keys"),
    "destinations": ("services.cli.admin.destinations", "destinations"),
    "parked": ("services.cli.admin.parked", "parked"),
    "protocol": ("services.cli.admin.protocol", "protocol"),
    "access": ("services.cli.data.access", "access"),
    "audit": ("services.cli.data.audit", "audit"),
    "openapi": ("services.cli.admin.openapi", "openapi"),
    "migrate": ("services.cli.data.migrate", "migrate"),
    "backup": ("services.cli.data.backup", "backup"),
    "restore": ("services.cli.data.restore", "restore"),
    "prepare": ("services.cli.data.migrate", "prepare"),
    "first-keys": ("services.cli.admin.first_keys", "first_keys"),
    "api": ("services.cli.run.api", "api"),
    "worker": ("services.cli.run.worker", "worker"),
    "watchman": ("services.cli.run.watchman", "watchman"),
}
