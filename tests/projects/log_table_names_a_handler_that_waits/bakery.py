import logging

log = logging.getLogger("bakery")


def bake(bread):
    log.debug("oven is on")
    log.info("baking %s", bread)  # FLU102
