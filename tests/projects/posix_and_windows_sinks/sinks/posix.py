sink = open("events.log", "w", newline="")
