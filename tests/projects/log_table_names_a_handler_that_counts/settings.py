LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"short": {"format": "%(levelname)s: %(message)s"}},
    "handlers": {
        "shop": {
            "class": "shoplog.handlers.CountingFileHandler",
            "filename": "shop.log",
            "formatter": "short",
        },
    },
    "loggers": {"bakery": {"handlers": ["shop"], "level": "INFO"}},
}
