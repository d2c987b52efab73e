"""Where each command of `referrals` is, in the order in which `--help` lists them."""

COMMANDS = {
    "up": ("services.cli.up", "up"),
    "demo": ("services.cli.demo", "demo"),
    "doctor": ("services.cli.doctor", "doctor"),
    "watch": ("services.cli.watch", "watch"),
    "keys": ("services.cli.keys", "keys"),
    "facilities": ("services.cli.facilities", "facilities"),
    "destinations": ("services.cli.destinations", "destinations"),
    "parked": ("services.cli.parked", "parked"),
    "protocol": ("services.cli.protocol", "protocol"),
    "audit": ("services.cli.audit", "audit"),
    "openapi": ("services.cli.openapi", "openapi"),
    "migrate": ("services.cli.migrate", "migrate"),
    "backup": ("services.cli.backup", "backup"),
    "restore": ("services.cli.restore", "restore"),
    "prepare": ("services.cli.migrate", "prepare"),
    "first-keys": ("services.cli.first_keys", "first_keys"),
    "api": ("services.cli.api", "api"),
    "worker": ("services.cli.worker", "worker"),
    "watchman": ("services.cli.watchman", "watchman"),
}
