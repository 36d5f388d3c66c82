"""The workers return text; what writes it is called back in the parent."""
import runner
from tasks import inspect_part, record

if __name__ == "__main__":
    runner.run_all(inspect_part, ["bolt", "nut"], record)
