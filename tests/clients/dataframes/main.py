"""Reads the shop as Parquet and Arrow with DuckDB, polars and pandas, and prints a line for each case:

    python main.py <URL of the read models> <URL of the same where plans are off> <events of the shop>
"""

import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pyarrow.ipc
import pyarrow.parquet

from readers import READERS, duck
from results import check, report
from values import shown

# The shop is folded once, for all clients of Python.
sys.path.append(str(Path(__file__).resolve().parent.parent / "python"))

from shop import Shop  # noqa: E402

MEDIA_TYPES = {"parquet": "application/vnd.apache.parquet", "arrow": "application/vnd.apache.arrow.stream"}
KEYS = {"authors": ["author"], "genres": ["genre"], "books": ["book"], "book_genres": ["book", "genre"], "covers": ["book"]}
KEYS |= {"addresses": ["address"], "orders": ["number"], "lines": ["number", "line"]}


class File:
    """What the host answers, in a file."""

    def __init__(self, folder, url, kind, table, **query):
        self.kind, self.path = kind, str(Path(folder) / f"{table}.{kind}")
        request = Request(f"{url}/{table}?{urlencode(query)}", headers={"accept": MEDIA_TYPES[kind]})
        with urlopen(request) as answer:
            self.headers = answer.headers
            Path(self.path).write_bytes(answer.read())
        if kind == "parquet":
            schema = pyarrow.parquet.read_schema(self.path)
        else:
            with pyarrow.ipc.open_stream(self.path) as stream:
                schema = stream.schema
        self.metadata = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
        self.types = {field.name: field.metadata[b"gnomon.type"].decode() for field in schema}

    def rows(self, read):
        """The rows that a library reads, in the form of JSON."""
        rows = read(self.kind, self.path)
        return [{name: shown(value, self.types[name]) for name, value in row.items()} for row in rows]


def tables(folder, url, shop):
    """Each table as a whole, by each library in each format."""
    for table in Shop.tables():
        for kind in MEDIA_TYPES:
            file = File(folder, url, kind, table, order=",".join(KEYS[table]))
            for name, read in READERS.items():
                check(f"{name} reads {table} as {kind}", lambda: file.rows(read), getattr(shop, table))
            expected = {"projection": "bookshop", "table": table, "version": "1", "build": "1"}
            expected["position"] = file.headers["gnomon-position"]
            found = {key.removeprefix("gnomon."): value for key, value in file.metadata.items() if key.startswith("gnomon.")}
            check(f"{table} as {kind} names its position", lambda: found, expected)


def queries(folder, url, shop):
    """Parts of a table: filters, names, casts, aggregates, columns of another table."""
    for kind in MEDIA_TYPES:
        file = File(folder, url, kind, "books", select="number:book,title,weight:pages::float8", pages="gt.200", order="pages.desc,book")
        books = sorted((book for book in shop.books if book["pages"] > 200), key=lambda book: (-book["pages"], book["book"]))
        expected = [{"number": book["book"], "title": book["title"], "weight": float(book["pages"])} for book in books]
        assert expected
        for name, read in READERS.items():
            check(f"{name} reads a query as {kind}", lambda: file.rows(read), expected)
        file = File(folder, url, kind, "books", select="author,count(),pages.sum()::bigint", order="author")
        authors = sorted({book["author"] for book in shop.books}, key=lambda author: (author is None, author))
        expected = []
        for author in authors:
            pages = [book["pages"] for book in shop.books if book["author"] == author]
            expected.append({"author": author, "count": len(pages), "sum": sum(pages)})
        for name, read in READERS.items():
            check(f"{name} reads aggregates as {kind}", lambda: file.rows(read), expected)
        file = File(folder, url, kind, "books", select="book,...authors(name,born)", order="book")
        expected = []
        for book in shop.books:
            author = shop.author(book["author"]) or {"name": None, "born": None}
            expected.append({"book": book["book"], "name": author["name"], "born": author["born"]})
        for name, read in READERS.items():
            check(f"{name} reads columns of another table as {kind}", lambda: file.rows(read), expected)
        file = File(folder, url, kind, "books", book="lt.0")
        for name, read in READERS.items():
            check(f"{name} reads no rows as {kind}", lambda: file.rows(read), [])


def types(folder, url, shop):
    """What is a text for Arrow is what it was, once it is cast."""
    file = File(folder, url, "parquet", "books")
    total = sum(Decimal(str(book["price"])) for book in shop.books)
    check("duckdb adds decimals", lambda: duck(file, "sum(price::decimal(18, 4))"), [(total,)])
    check("duckdb knows instants", lambda: duck(file, "typeof(any_value(added))"), [("TIMESTAMP WITH TIME ZONE",)])
    check("duckdb reads json", lambda: duck(file, "count(*) filter (json_valid(details))"), [(len(shop.books),)])
    file = File(folder, url, "parquet", "addresses")
    check("duckdb casts uuids", lambda: duck(file, "count(distinct address::uuid)"), [(len(shop.addresses),)])


def main(url, _plain_url, events):
    shop = Shop(events)
    with tempfile.TemporaryDirectory() as folder:
        tables(folder, url, shop)
        queries(folder, url, shop)
        types(folder, url, shop)
    return 0 if report() else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
