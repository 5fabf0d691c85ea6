"""A real mail server for every test of this room."""

from tests.dovecot import account, any_account, maildir_account, maildir_server, sdbox_server

__all__ = ["account", "any_account", "maildir_account", "maildir_server", "sdbox_server"]
