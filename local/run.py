"""`make run`: Signalbox for a real mailbox on this machine.

Database (a local one unless SIGNALBOX_DATABASE_URL names another), web and worker under one supervisor.
"""

from __future__ import annotations

import sys

from config import Config, ConfigError
from local import parts
from local.places import LocalPartError
from local.supervisor import Supervisor

_WELCOME = """
  Nobody administers Signalbox yet. Open this link within 24 hours; it works once:
    {address}/welcome/{key}
  It makes your account, then connects the team's mailbox.
"""


def run(supervisor: Supervisor, config: Config) -> None:
    """Start everything and run until stopped."""
    environment = parts.base_environment(config.home)
    url, web_url, web_role = config.database_url, None, config.web_database_role
    if url is None:
        url = environment["SIGNALBOX_DATABASE_URL"] = parts.start_postgres(supervisor, config.home)
        web_url, web_role = parts.web_url(config.home), parts.WEB_ROLE
    parts.migrate(url, config.seal_key, web_role)
    key = parts.first_key(url)
    address = parts.start_web_and_worker(supervisor, environment, web_url)
    to_do = _WELCOME.format(address=address.rstrip("/"), key=key) if key else ""
    supervisor.say(f"\n  Signalbox runs at {address}. Ctrl-C stops all of it.\n{to_do}")
    supervisor.watch()


def main() -> None:
    try:
        config = Config.from_env(opens_secrets=True)
        with Supervisor() as supervisor, parts.only_one(config.home):
            run(supervisor, config)
    except (LocalPartError, ConfigError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
