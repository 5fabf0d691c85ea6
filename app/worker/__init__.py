"""Background work: the worker process and its jobs, above every room except the pages.

Any number of workers may run. All work is in the database, so a worker that dies loses nothing.

    process        starts and stops the rest: a service per mailbox, the listener, the timetable
    service        one thread per mailbox: waits for its wakeup, runs rounds, backs off
    idle           notices that something happened on the mail server (IDLE, NOTIFY): a hint, never data
    listener       receives announcements of other processes
    wakeup         wakes the thread of a mailbox
    outcome        records the result of its rounds, and when it is tried again
    holder         decides with Postgres which worker serves a mailbox
    timetable      runs each job at its interval
    jobs           attempts, comparisons, ending snoozes, cleaning of stored bodies
    rebuild        restores state from the server, for `flask mailbox rebuild`
"""
