"""The embedded servers of one home: made at the first start, described to the runner at every one."""

from collections.abc import Collection
from pathlib import Path

from services.cli.embedded.account import hand_over
from services.cli.embedded.cluster import create_cluster
from services.cli.embedded.postgres import database_url, postgres_service
from services.cli.embedded.programs import reachable_programs
from services.cli.embedded.valkey import redis_url, valkey_service
from services.cli.home import Home
from services.cli.runner.service import Account, Service
from services.cli.runtime_folder import programs_beside


def embedded_servers(
    home: Home, wanted: Collection[str], account: Account | None, folder: Path, password: str
) -> tuple[list[Service], dict[str, str]]:
    """Return the servers for the `wanted` settings (DATABASE_URL, REDIS_URL), and those settings.

    `folder` is the private runtime folder, in which they put their sockets.
    """
    if not wanted:
        return [], {}
    programs = reachable_programs(account, programs_beside(folder))
    services, settings = [], {}
    if "DATABASE_URL" in wanted:
        if not home.postgres.exists():
            create_cluster(home.postgres, programs.postgres, password, account)
        services.append(postgres_service(home.postgres, folder, programs.postgres, account))
        settings["DATABASE_URL"] = database_url(folder, password)
    if "REDIS_URL" in wanted:
        home.valkey.mkdir(mode=0o700, exist_ok=True)
        hand_over(home.valkey, account)
        services.append(valkey_service(home.valkey, folder, programs.valkey, account))
        settings["REDIS_URL"] = redis_url(folder)
    return services, settings
