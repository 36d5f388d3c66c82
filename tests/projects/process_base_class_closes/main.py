# oracle: start-methods = fork, spawn
from exports import PeopleExport, PlacesExport

if __name__ == "__main__":
    exports = [PeopleExport("people.txt"), PlacesExport("places.txt")]
    for export in exports:
        export.start()
    for export in exports:
        export.join()
