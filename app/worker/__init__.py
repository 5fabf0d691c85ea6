"""Background work: the worker process and its jobs, above every room but the pages.

Any number of workers may run. What is to be done is in the database, so one that dies loses nothing.

    process        starts and stops the rest: a service per mailbox, the listener, the timetable
    service        one thread per mailbox: waits for its wakeup, runs rounds, backs off
    mail_listener  hears that something happened on the mail server (IDLE, NOTIFY): a hint, never data
    listener       hears what other processes announce
    wakeup         wakes the thread of a mailbox
    outcome        what came of its rounds, and when it is tried again
    holder         which worker serves a mailbox, decided by Postgres
    timetable      which job runs how often
    jobs           attempts, comparisons, snoozes that end, stored bodies to clean
    rebuild        what `flask mailbox rebuild` asks of a worker
"""
