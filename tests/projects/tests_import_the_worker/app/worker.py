from app.store import Store


def work(items, path):
    store = Store(path)
    for item in items:
        store.add(item)
    store.close()
