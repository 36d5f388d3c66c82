from logconf import log


def cook(meal):
    log.info("cooking %s", meal)  # FLU102
