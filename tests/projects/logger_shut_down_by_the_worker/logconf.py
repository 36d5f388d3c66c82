import logging
import logging.handlers

log = logging.getLogger("kitchen")
log.setLevel(logging.INFO)
log.addHandler(
    logging.handlers.MemoryHandler(50, target=logging.FileHandler("kitchen.log"))
)
