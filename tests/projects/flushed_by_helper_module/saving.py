def put(stream, line):
    stream.write(line + "\n")
    stream.flush()
