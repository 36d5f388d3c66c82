LOG = None
