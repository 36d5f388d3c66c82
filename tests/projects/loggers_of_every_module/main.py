import logging
from multiprocessing import Process

import logconf
from kitchen import cook

logger = logging.getLogger(__name__)

if __name__ == "__main__":
    logconf.configure("kitchen.log")
    logger.info("open")
    for meal in ("soup", "pie"):
        p = Process(target=cook, args=(meal,))
        p.start()
        p.join()
    logger.info("closed")
