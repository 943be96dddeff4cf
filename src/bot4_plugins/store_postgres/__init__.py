"""A PostgreSQL copy of the audit log."""
