out = open("requests.log", "a")
