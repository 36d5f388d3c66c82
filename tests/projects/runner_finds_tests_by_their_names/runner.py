import os


def tests_of(module):
    for name in dir(module):
        if name.startswith("test_"):
            yield name, getattr(module, name)


def run_forked(test):
    """Return whether the test passes. What it breaks is broken in the child only."""
    pid = os.fork()
    if pid == 0:
        code = 0
        try:
            test()
        except AssertionError:
            code = 1
        os._exit(code)  # FLU104
    return os.waitpid(pid, 0)[1] == 0


def run_all(module):
    failed = 0
    for name, test in tests_of(module):
        if not run_forked(test):
            failed += 1
            print(name, "failed")
    return failed
