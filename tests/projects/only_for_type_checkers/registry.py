import io

current = io.StringIO()
