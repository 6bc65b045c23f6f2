"""The tables of the shop, folded from its events here: what the answers of the host are compared with."""

import json


class Shop:
    """The rows of each table, in the order of its key."""

    def __init__(self, path):
        self.authors, self.genres, self.books, self.book_genres = {}, {}, {}, {}
        self.covers, self.addresses, self.orders, self.lines = {}, {}, {}, {}
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                self._fold(**json.loads(line))
        for name in self.tables():
            rows = getattr(self, name)
            setattr(self, name, [rows[key] for key in sorted(rows)])

    @staticmethod
    def tables():
        return ["authors", "genres", "books", "book_genres", "covers", "addresses", "orders", "lines"]

    def _fold(self, stream, type, time, data):
        key = stream.split("-", 1)[1]
        if type == "AuthorAdded":
            rest = {name: data.get(name) for name in ("country", "born", "mentor")}
            self.authors[key] = {"author": key, "name": data["name"], **rest}
        elif type == "GenreAdded":
            self.genres[key] = {"genre": key, "label": data["label"]}
        elif type == "BookAdded":
            book = int(key)
            self.books[book] = {
                "book": book,
                **{name: data.get(name) for name in ("title", "blurb", "author", "isbn", "pages", "price")},
                "added": time,
                "in_print": data.get("in_print"),
                "tags": data["tags"],
                "ratings": [],
                "details": data["details"],
            }
            for genre in data["genres"]:
                self.book_genres[book, genre] = {"book": book, "genre": genre}
            if cover := data.get("cover"):
                picture = "\\x" + bytes(cover["picture"]).hex()
                self.covers[book] = {"book": book, "colour": cover["colour"], "picture": picture}
        elif type == "BookRated":
            self.books[int(key)]["ratings"].append(data["stars"])
        elif type == "AddressAdded":
            self.addresses[key] = {"address": key, "street": data["street"], "city": data["city"], "opens": data.get("opens")}
        elif type == "OrderPlaced":
            self.orders[key] = {
                "number": key,
                "customer": data["customer"],
                "placed": time,
                "shipped": None,
                "billing": data["billing"],
                "shipping": data.get("shipping"),
            }
            for line, item in enumerate(data["lines"], 1):
                self.lines[key, line] = {"number": key, "line": line, **item}
        elif type == "OrderShipped":
            self.orders[key]["shipped"] = data["local_time"]
        else:
            raise ValueError(f"an event of type {type}")

    def author(self, key):
        return next((row for row in self.authors if row["author"] == key), None)

    def book(self, key):
        return next(row for row in self.books if row["book"] == key)

    def written_by(self, author):
        return [row for row in self.books if row["author"] == author]

    def genres_of(self, book):
        keys = [row["genre"] for row in self.book_genres if row["book"] == book]
        return [row for row in self.genres if row["genre"] in keys]


def pick(row, *columns):
    """The row with only these columns; None of None."""
    return row and {column: row[column] for column in columns}
