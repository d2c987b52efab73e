"""The embedded servers of one home: made at the first start, described to the supervisor at every one."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from services.embedded.home import Home
from services.embedded.home_secrets import SERVICE_PASSWORD
from services.embedded.runtime_folder import binaries_folder
from services.embedded.servers.account import hand_over
from services.embedded.servers.binaries import accessible_binaries
from services.embedded.servers.cluster import create_cluster, upgrade_cluster
from services.embedded.servers.postgres import clear_leftovers, database_url, postgres_service
from services.embedded.servers.valkey import redis_url, valkey_service
from services.embedded.supervisor.service import Account, Service
from shared.migrations.privileges import SERVICE


def embedded_servers(
    home: Home,
    wanted: Collection[str],
    account: Account | None,
    folder: Path,
    secrets: Mapping[str, str],
    reached: Callable[[Path], Path] = Path,
) -> tuple[list[Service], dict[str, str]]:
    """Return the servers for the `wanted` settings (DATABASE_URL, REDIS_URL), and those settings.

    With the first comes OWNER_DATABASE_URL, by which the service's own role is made; `secrets` are the home's.
    `folder` is the private runtime folder, in which they put their sockets; `reached` says by which path who starts
    them reaches a folder of data.
    """
    if not wanted:
        return [], {}
    copies = binaries_folder(folder)
    programs = accessible_binaries(account, copies)
    if copies.exists():
        hand_over(copies, account)
    services, settings = [], {}
    if "DATABASE_URL" in wanted:
        if home.postgres.exists():
            clear_leftovers(home.postgres)
            upgrade_cluster(home.postgres, programs.postgres, account)
        else:
            create_cluster(home.postgres, programs.postgres, secrets["database_password"], account)
        services.append(postgres_service(reached(home.postgres), folder, programs.postgres, account))
        settings["DATABASE_URL"] = database_url(folder, secrets[SERVICE_PASSWORD], SERVICE)
        settings["OWNER_DATABASE_URL"] = database_url(folder, secrets["database_password"])
    if "REDIS_URL" in wanted:
        home.valkey.mkdir(mode=0o700, exist_ok=True)
        hand_over(home.valkey, account)
        services.append(valkey_service(reached(home.valkey), folder, programs.valkey, account))
        settings["REDIS_URL"] = redis_url(folder)
    return services, settings
