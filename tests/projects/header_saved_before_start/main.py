from app.jobs.census import take

if __name__ == "__main__":
    take(["ants", "bees"])
