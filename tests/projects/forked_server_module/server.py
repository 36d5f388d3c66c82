import os

from access import log


def serve(requests):
    for request in requests:
        pid = os.fork()
        if pid == 0:
            handle(request)
            os._exit(0)  # FLU104
        os.waitpid(pid, 0)


def handle(request):
    log(request)
