# oracle: start-methods = fork, forkserver
from zoo import keeper

if __name__ == "__main__":
    keeper.feed_all(["lion", "seal"])
