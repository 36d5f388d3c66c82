sink = open("events.log", "w", buffering=1, newline="")
