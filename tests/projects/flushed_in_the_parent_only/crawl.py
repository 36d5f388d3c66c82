from output import links


def crawl(site):
    links.write("http://%s/\n" % site)  # FLU102
