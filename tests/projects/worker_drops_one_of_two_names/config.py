LOG = open("jobs.log", "a")
