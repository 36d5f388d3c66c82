"""Knowledge tables: what the machine knows of the library. Data, no logic."""
