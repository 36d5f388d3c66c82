def stop(process):
    process.terminate()
    process.join()
