def stop(process, end):
    end.set()
    process.join()
