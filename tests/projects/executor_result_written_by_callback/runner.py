import concurrent.futures


def run_all(function, items, done):
    with concurrent.futures.ProcessPoolExecutor(max_workers=1) as executor:
        for item in items:
            executor.submit(function, item).add_done_callback(done)
