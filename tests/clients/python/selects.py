"""What is selected: columns, aliases, casts, paths into JSON, aggregates, and rows of other tables."""

from cases import check, equal, reads, refused
from shop import pick


def selects(client, shop):
    books = lambda *columns: client.from_("books").select(*columns)
    for table in shop.tables():
        reads(f"select: all of {table}", client.from_(table).select("*"), getattr(shop, table))
        reads(f"table: all of {table}", client.table(table).select(), getattr(shop, table))
    reads("select: columns", books("book", "title"), [pick(row, "book", "title") for row in shop.books])
    reads("select: one text of columns", books("book, title"), [pick(row, "book", "title") for row in shop.books])
    reads("select: aliases", books("id:book"), [{"id": row["book"]} for row in shop.books])
    reads("select: an alias with blanks", books('"The number":book'), [{"The number": row["book"]} for row in shop.books])
    reads("select: casts", books("book::text"), [{"book": str(row["book"])} for row in shop.books])
    refused("select: a cast to a type that is not there", books("book::nonsense"), "42704")
    refused("select: a column that is not there", books("publisher"), "42703")

    size = lambda row, of: ((row["details"] or {}).get("size") or {}).get(of)
    reads("json: a path", books("book", "height:details->size->h"), [{"book": row["book"], "height": size(row, "h")} for row in shop.books])
    reads("json: a path to text", books("w:details->size->>w"), [{"w": str(size(row, "w")) if size(row, "w") else None} for row in shop.books])
    reads("json: the name of a path", books("details->>lang"), [{"lang": (row["details"] or {}).get("lang")} for row in shop.books])

    pages = [row["pages"] for row in shop.books]
    reads("aggregates: sum", books("pages.sum()"), [{"sum": sum(pages)}])
    reads("aggregates: several", books("least:pages.min()", "most:pages.max()", "count()"), [{"least": min(pages), "most": max(pages), "count": len(pages)}])
    groups = {}
    for row in shop.books:
        groups.setdefault(row["pages"], []).append(row)
    reads(
        "aggregates: groups",
        books("pages", "count()").order("pages"),
        [{"pages": number, "count": len(groups[number])} for number in sorted(groups)],
    )


def embeddings(client, shop):
    select = lambda table, columns: client.from_(table).select(columns)
    written = shop.written_by
    numbers = lambda rows: [pick(row, "book") for row in rows]

    reads("embed: to one", select("books", "title, authors(name)"), [{"title": row["title"], "authors": pick(shop.author(row["author"]), "name")} for row in shop.books])
    reads("embed: to many", select("authors", "name, books(book)"), [{"name": row["name"], "books": numbers(written(row["author"]))} for row in shop.authors])
    reads(
        "embed: through a junction",
        select("books", "book, genres(label)"),
        [{"book": row["book"], "genres": [pick(genre, "label") for genre in shop.genres_of(row["book"])]} for row in shop.books],
    )
    reads(
        "embed: one to one",
        select("books", "book, covers(*)"),
        [{"book": row["book"], "covers": next((cover for cover in shop.covers if cover["book"] == row["book"]), None)} for row in shop.books],
    )
    reads("embed: the same table", select("authors", "author, mentor(name)"), [{"author": row["author"], "mentor": pick(shop.author(row["mentor"]), "name")} for row in shop.authors])
    reads(
        "embed: the same table, the other way",
        select("authors", "author, pupils:authors!mentor(author)"),
        [{"author": row["author"], "pupils": [pick(pupil, "author") for pupil in shop.authors if pupil["mentor"] == row["author"]]} for row in shop.authors],
    )
    city = lambda key: pick(next((row for row in shop.addresses if row["address"] == key), None), "city")
    reads(
        "embed: by hints",
        select("orders", "number, bill:addresses!billing(city), parcel:addresses!orders_shipping_fkey(city)"),
        [{"number": row["number"], "bill": city(row["billing"]), "parcel": city(row["shipping"])} for row in shop.orders],
    )
    refused("embed: two references, and no hint", select("orders", "addresses(city)"), "PGRST201")
    refused("embed: no reference", select("orders", "genres(label)"), "PGRST200")
    reads(
        "embed: three levels",
        select("orders", "number, lines(line, books(title, authors(name)))"),
        [
            {
                "number": row["number"],
                "lines": [
                    {"line": line["line"], "books": {"title": shop.book(line["book"])["title"], "authors": pick(shop.author(shop.book(line["book"])["author"]), "name")}}
                    for line in shop.lines
                    if line["number"] == row["number"]
                ],
            }
            for row in shop.orders
        ],
    )
    reads(
        "inner: with a filter",
        select("authors", "author, books!inner(book)").eq("books.pages", 350),
        [
            {"author": row["author"], "books": numbers(book for book in written(row["author"]) if book["pages"] == 350)}
            for row in shop.authors
            if any(book["pages"] == 350 for book in written(row["author"]))
        ],
    )
    reads("empty: rows without one", select("authors", "author, books()").is_("books", None), [pick(row, "author") for row in shop.authors if not written(row["author"])])
    reads("empty: rows with one", select("authors", "author, books()").not_.is_("books", None), [pick(row, "author") for row in shop.authors if written(row["author"])])
    name = lambda row: (shop.author(row["author"]) or {"name": None})["name"]
    reads("spread: to one", select("books", "book, ...authors(name)"), [{"book": row["book"], "name": name(row)} for row in shop.books])
    reads("spread: to many", select("authors", "author, ...books(book)"), [{"author": row["author"], "book": [book["book"] for book in written(row["author"])]} for row in shop.authors])
    reads("count: of another table", select("authors", "author, books(count)"), [{"author": row["author"], "books": [{"count": len(written(row["author"]))}]} for row in shop.authors])

    reads(
        "order: of another table",
        select("authors", "author, books(book)").order("book", desc=True, foreign_table="books"),
        [{"author": row["author"], "books": numbers(reversed(written(row["author"])))} for row in shop.authors],
    )
    reads(
        "limit: of another table",
        select("authors", "author, books(book)").limit(1, foreign_table="books"),
        [{"author": row["author"], "books": numbers(written(row["author"])[:1])} for row in shop.authors],
    )
    reads(
        "range: of another table",
        select("authors", "author, books(book)").range(1, 2, foreign_table="books"),
        [{"author": row["author"], "books": numbers(written(row["author"])[1:3])} for row in shop.authors],
    )
    either = lambda book: book["pages"] < 100 or book["pages"] > 300
    reads(
        "or: on another table",
        select("authors", "author, books(book)").or_("pages.lt.100,pages.gt.300", reference_table="books"),
        [{"author": row["author"], "books": numbers(book for book in written(row["author"]) if either(book))} for row in shop.authors],
    )
    reads(
        "or: not on another table",
        select("authors", "author, books(book)").not_.or_("pages.lt.100,pages.gt.300", reference_table="books"),
        [{"author": row["author"], "books": numbers(book for book in written(row["author"]) if not either(book))} for row in shop.authors],
    )

    def counted(answer):
        equal((answer.count, answer.data), (len({row["author"] for row in shop.books if row["pages"] == 350}), []))

    query = client.from_("authors").select("author, books!inner(book)", count="exact", head=True).eq("books.pages", 350)
    check("inner: an exact count", query.execute, counted)
