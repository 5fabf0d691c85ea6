"""Keeping both the same: the only room that knows mail and inbox.

A round serves one mailbox: pull reads the server's state, then push writes what copies should show. Push compares
states and keeps no log of commands: it writes the difference between what a copy shows and what it should show. So the
next round repairs a crash anywhere. No transaction is open while we talk to the server.

    merge     decides what a copy's keywords mean: a change, an echo or a conflict. Pure.
    judge     applies the changes to conversations, with the verbs members use
    newcomers the same for copies that were just received
    junk      treats mail in the Junk folder as spam, whoever moved it there
    arrivals  turns the server's mails into arrivals for the inbox, parsed in a child process
    pull      server -> Postgres: changed keywords, vanished copies, new mail
    importing the first import and the one after a reset, newest first
    push      Postgres -> server: keywords, flags, moves
    downloads attachments and original sources that a page asked for
    connect   tests, probes and stores a new mailbox
"""
