from . import plugin

AUDIT = open("audit.log", "a")
AUDIT.write("# format 2\n")  # FLU201


@plugin("audit")
def audit(event):
    AUDIT.write(f"audit: {event}\n")
    AUDIT.flush()
