"""The modules of a project: which there are, who imports whom, what is read together."""
