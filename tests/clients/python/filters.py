"""Filters: every method of the client that narrows down the rows."""

from cases import reads, refused
from shop import pick


def filters(client, shop):
    books = lambda: client.from_("books").select("book")
    those = lambda test: [pick(row, "book") for row in shop.books if test(row)]
    lang = lambda row: (row["details"] or {}).get("lang")

    reads("filter: eq", books().eq("pages", 350), those(lambda row: row["pages"] == 350))
    reads("filter: eq, quotes, commas and parentheses", books().eq("title", 'Anonymous, "collected" (vol. 1)'), [{"book": 5}])
    reads("filter: eq, a percent sign", books().eq("title", "100% proof"), [{"book": 6}])
    reads("filter: eq, letters beyond ASCII", books().eq("title", "İstanbul by boat"), [{"book": 4}])
    reads("filter: eq, in any case", books().eq("isbn", "0-306-B"), [{"book": 2}])
    reads("filter: eq, an instant with an offset", books().eq("added", "2021-03-01T10:00:00+01:00"), [{"book": 1}])
    reads("filter: eq, a truth value", books().eq("in_print", True), those(lambda row: row["in_print"] is True))
    reads("filter: neq", books().neq("pages", 350), those(lambda row: row["pages"] != 350))
    reads("filter: gt", books().gt("price", 12.5), those(lambda row: row["price"] > 12.5))
    reads("filter: gte", books().gte("price", 12.5), those(lambda row: row["price"] >= 12.5))
    reads("filter: lt", books().lt("pages", 210), those(lambda row: row["pages"] < 210))
    reads("filter: lte", books().lte("pages", 210), those(lambda row: row["pages"] <= 210))
    refused("filter: a number that is none", books().eq("pages", "many"), "22P02")
    refused("filter: a column that is not there", books().eq("publisher", "x"), "42703")

    reads("filter: like", books().like("title", "%sundial%"), those(lambda row: "sundial" in row["title"]))
    reads("filter: ilike", books().ilike("title", "%CLOCKS%"), those(lambda row: "clocks" in row["title"].lower()))
    reads("filter: like_all_of", books().like_all_of("title", "%o%,%sundial%"), those(lambda row: "o" in row["title"] and "sundial" in row["title"]))
    reads("filter: like_any_of", books().like_any_of("title", "Notes%,%boat"), [{"book": 1}, {"book": 4}])
    reads("filter: ilike_all_of", books().ilike_all_of("title", "THE%,%SUNDIAL"), [{"book": 2}])
    reads("filter: ilike_any_of", books().ilike_any_of("title", "notes%,%BOAT"), [{"book": 1}, {"book": 4}])
    reads("filter: is_ null", books().is_("in_print", None), those(lambda row: row["in_print"] is None))
    reads("filter: is_ true", books().is_("in_print", True), those(lambda row: row["in_print"] is True))
    reads("filter: is_ false", books().is_("in_print", False), those(lambda row: row["in_print"] is False))
    reads("filter: not_ is_", books().not_.is_("blurb", "null"), those(lambda row: row["blurb"] is not None))
    reads("filter: not_ gt", books().not_.gt("pages", 200), those(lambda row: row["pages"] <= 200))
    reads("filter: in_", books().in_("pages", [90, 640]), those(lambda row: row["pages"] in (90, 640)))
    reads("filter: in_, texts with commas, quotes and parentheses", books().in_("title", ['Anonymous, "collected" (vol. 1)', "x"]), [{"book": 5}])
    reads("filter: in_, an empty list", books().in_("pages", []), [])
    reads("filter: not_ in_", books().not_.in_("pages", [90, 350]), those(lambda row: row["pages"] not in (90, 350)))

    reads("filter: cs", books().cs("tags", ["short"]), those(lambda row: "short" in row["tags"]))
    reads("filter: contains, an array", books().contains("tags", ["a,b"]), [{"book": 2}])
    reads("filter: contains, elements with quotes and braces", books().contains("tags", ['quote"d', "curly{}"]), [{"book": 5}])
    reads("filter: contains, elements that look like nothing", books().contains("tags", ["null", ""]), [{"book": 6}])
    reads("filter: contains, json", books().contains("details", {"lang": "en"}), those(lambda row: lang(row) == "en"))
    few = ["classic", "short", "maps"]
    reads("filter: cd", books().cd("tags", few), those(lambda row: set(row["tags"]) <= set(few)))
    reads("filter: contained_by", books().contained_by("tags", few), those(lambda row: set(row["tags"]) <= set(few)))
    reads("filter: contained_by, json", books().contained_by("details->size", {"w": 14, "h": 21, "d": 3}), [{"book": 2}])
    reads("filter: ov", books().ov("tags", ["maps", "classic"]), those(lambda row: {"maps", "classic"} & set(row["tags"])))
    reads("filter: overlaps", books().overlaps("ratings", [1, 3]), those(lambda row: {1, 3} & set(row["ratings"])))
    for name in ["range_gt", "range_gte", "range_lt", "range_lte", "range_adjacent", "sl", "sr", "nxl", "nxr", "adj"]:
        # No column has ranges, so every type is the wrong one.
        query = getattr(books(), name)("ratings", (1, 2))
        check_refused_operator(name, query)

    reads("filter: fts", books().fts("words", "sundial & clock"), [{"book": 2}, {"book": 3}])
    reads("filter: plfts", books().plfts("words", "the clocks shadows"), [{"book": 2}])
    reads("filter: phfts", books().phfts("words", "travel by water"), [{"book": 4}])
    reads("filter: wfts", books().wfts("words", "sundial -novel"), [{"book": 3}])
    reads("filter: text_search", books().text_search("words", "sundial"), [{"book": 2}, {"book": 3}])
    for kind, words in [("plain", "clocks shadows"), ("phrase", "shadows and clocks"), ("web_search", '"shadows and clocks"')]:
        reads(f"filter: text_search, {kind}", books().text_search("words", words, {"type": kind, "config": "english"}), [{"book": 2}])
    reads("filter: match", books().match({"pages": 350, "in_print": False}), those(lambda row: row["pages"] == 350 and row["in_print"] is False))
    reads("filter: or_", books().or_("pages.lt.100,price.gt.50"), those(lambda row: row["pages"] < 100 or row["price"] > 50))
    reads("filter: or_, with and within", books().or_("and(pages.gt.100,pages.lt.300),book.eq.5"), those(lambda row: 100 < row["pages"] < 300 or row["book"] == 5))
    reads("filter: not_ or_", books().not_.or_("pages.lt.100,price.gt.50"), those(lambda row: not (row["pages"] < 100 or row["price"] > 50)))
    reads("filter: filter", books().filter("pages", "in", "(90,640)"), [{"book": 3}, {"book": 5}])
    reads("filter: filter, a regular expression", books().filter("title", "imatch", "PROOF$"), [{"book": 6}])
    reads("filter: filter, isdistinct", books().filter("author", "isdistinct", "bea"), those(lambda row: row["author"] != "bea"))
    reads("filter: filter, a quantifier", books().filter("pages", "gt(all)", "{300,600}"), those(lambda row: row["pages"] > 600))
    reads("filter: a path into json", books().eq("details->>lang", "ga"), [{"book": 3}])
    reads("filter: a path into json, a number", books().gt("details->size->w", 12), [{"book": 2}, {"book": 4}])


def check_refused_operator(name, query):
    refused(f"filter: {name}, of a column that has no ranges", query, "42883")
