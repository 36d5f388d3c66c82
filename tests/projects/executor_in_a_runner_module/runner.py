import concurrent.futures


def run_all(function, items):
    with concurrent.futures.ProcessPoolExecutor(max_workers=1) as executor:
        futures = [executor.submit(function, item) for item in items]
        return [future.result() for future in futures]
