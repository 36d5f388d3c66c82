from tower import strike as ring


def run(number, gate, tell, home):
    gate.wait()
    ring(number)
    tell.set()
    home.wait()
