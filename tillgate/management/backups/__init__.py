"""The whole database in one encrypted file, and back: the same for SQLite and PostgreSQL."""
