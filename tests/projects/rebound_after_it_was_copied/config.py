import io

LOG = io.StringIO()
