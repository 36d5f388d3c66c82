def invoice_file(name):
    return open(name, "w")
