import logging

logger = logging.getLogger(__name__)


def cook(meal):
    logger.info("cooking %s", meal)
