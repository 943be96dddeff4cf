"""Venues on 127.0.0.1 over real sockets, with scripted faults; for tests and rehearsals."""
