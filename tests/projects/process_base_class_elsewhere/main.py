from exports import PeopleExport, PlacesExport


def main():
    exports = [PeopleExport("people.txt"), PlacesExport("places.txt")]
    for export in exports:
        export.start()
    for export in exports:
        export.join()


if __name__ == "__main__":
    main()
