import settings

if settings.DEBUG:
    from debug_output import write
else:

    def write(text):
        pass
