"""`make run`: Signalbox for a real mailbox on this machine.

Database (a local one unless SIGNALBOX_DATABASE_URL names another), web and worker under one supervisor.
"""

from __future__ import annotations

import sys

from app.local import parts
from app.local.places import LocalPartError
from app.local.supervisor import Supervisor
from config import Config, ConfigError

_NOBODY_YET = """
  Nobody can sign in yet. In another terminal, in this folder:
    .venv/bin/flask member add HANDLE --name "YOUR NAME" --email YOU@EXAMPLE.COM --admin
    .venv/bin/flask mailbox add NAME --address HELP@EXAMPLE.COM --imap HOST:993 --user USER
    .venv/bin/flask mailbox grant NAME HANDLE manager
"""


def run(supervisor: Supervisor, config: Config) -> None:
    """Start everything and stay until it is stopped."""
    environment = parts.base_environment(config.home)
    url = config.database_url
    if url is None:
        url = environment["SIGNALBOX_DATABASE_URL"] = parts.start_postgres(supervisor, config.home)
    parts.migrate(url)
    to_do = "" if parts.somebody_can_sign_in(url) else _NOBODY_YET
    address = parts.start_web_and_worker(supervisor, environment)
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
