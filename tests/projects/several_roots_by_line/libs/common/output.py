def invoice_file(name):
    """Invoices are looked at while they are written: line by line."""
    return open(name, "a", 1)
