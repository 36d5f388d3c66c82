import runner
from tasks import inspect_part

if __name__ == "__main__":
    print(runner.run_all(inspect_part, ["bolt", "nut"]))
