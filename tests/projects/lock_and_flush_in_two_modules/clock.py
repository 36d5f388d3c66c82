import tower


def run(number, gate, tell, home):
    gate.wait()
    tower.strike(number)
    tell.set()
    home.wait()
    tower.bells.flush()
