import os

import access


def serve(requests):
    for request in requests:
        pid = os.fork()
        if pid == 0:
            try:
                access.log(request)
            finally:
                access.shut()
                os._exit(0)
        os.waitpid(pid, 0)
