"""The migrations, one file each under `versions/`; run by loresmith.db.schema.

A migration lets programs of the release before it go on working: it adds tables and columns that may be empty, and
removes only what no release before this one still uses. So the schema is migrated first, the processes replaced after.
"""
