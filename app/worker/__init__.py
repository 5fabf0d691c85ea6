"""Background work: one process, any number of them, above every room but the pages.

process   starts and stops the rest: a service per mailbox, the listener, the timetable
service   one thread per mailbox: waits for its bell, runs rounds, backs off
doorbell  IDLE or NOTIFY: a hint to look, never data
bell      how the thread of a mailbox is woken
holder    which worker serves a mailbox, decided by Postgres
jobs      what waits in the database: attempts, comparisons, stored bodies to clean
rebuild   what `flask mailbox rebuild` asks of a worker
"""
