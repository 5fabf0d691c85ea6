"""Replies on their way out: built, handed to the SMTP server, and written down."""
