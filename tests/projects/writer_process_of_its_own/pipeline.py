def produce(n, lines):
    for k in range(2):
        lines.put("producer %d, line %d\n" % (n, k))
