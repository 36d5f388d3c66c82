out = []
