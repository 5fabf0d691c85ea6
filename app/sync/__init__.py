"""Keeping both the same: the only room that knows mail and inbox.

A round serves one mailbox: pull what the server shows, then push what it should show. Push works on state, never on a
log of commands: the difference between what a copy shows and what it should show, so that a crash anywhere is healed
by the next round. No transaction is held while the server is asked.

    merge     what one copy shows, against what it showed: news, an echo, or a conflict? Pure.
    judge     applies the verdicts to conversations, with the verbs members use
    newcomers the same for copies that were just received
    junk      what lies there is spam, whoever moved it
    arrivals  mails as the server gives them -> arrivals as the inbox takes them, parsed in a child process
    pull      server -> Postgres: changed keywords, vanished copies, new mail
    importing the first import and the one after a reset, newest first
    push      Postgres -> server: names, flags, moves
    downloads what a page asked for: attachments, original sources
    connect   a new mailbox: tried, probed, stored
"""
