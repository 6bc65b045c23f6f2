// Filters: every method of the client that narrows down the rows.
import { reads, refused } from "./cases.mjs";
import { pick } from "./shop.mjs";

export async function filters(client, shop) {
  const books = () => client.from("books").select("book");
  const those = (test) => shop.books.filter(test).map((row) => pick(row, "book"));

  await reads("filter: eq", () => books().eq("pages", 350), those((row) => row.pages === 350));
  await reads("filter: eq, a text with quotes, commas and parentheses", () => books().eq("title", 'Anonymous, "collected" (vol. 1)'), [{ book: 5 }]);
  await reads("filter: eq, a text with a percent sign", () => books().eq("title", "100% proof"), [{ book: 6 }]);
  await reads("filter: eq, letters beyond ASCII", () => books().eq("title", "İstanbul by boat"), [{ book: 4 }]);
  await reads("filter: eq, in any case where the column is so", () => books().eq("isbn", "0-306-a"), [{ book: 1 }]);
  await reads("filter: eq, an instant", () => books().eq("added", "2021-03-02T09:00:00.5Z"), [{ book: 2 }]);
  await reads("filter: eq, an instant with another offset", () => books().eq("added", "2021-03-02T10:00:00.5+01:00"), [{ book: 2 }]);
  await reads("filter: eq, a decimal", () => books().eq("price", 0.1), [{ book: 6 }]);
  await reads("filter: neq", () => books().neq("pages", 350), those((row) => row.pages !== 350));
  await reads("filter: gt", () => books().gt("pages", 210), those((row) => row.pages > 210));
  await reads("filter: gte", () => books().gte("pages", 210), those((row) => row.pages >= 210));
  await reads("filter: lt", () => books().lt("price", 12.5), those((row) => row.price < 12.5));
  await reads("filter: lte", () => books().lte("price", 12.5), those((row) => row.price <= 12.5));
  await reads("filter: two on one column", () => books().gt("pages", 100).lt("pages", 350), those((row) => row.pages > 100 && row.pages < 350));
  await refused("filter: a number that is none", () => books().eq("pages", "many"), 400, "22P02");

  await reads("filter: like", () => books().like("title", "%sundial%"), those((row) => row.title.includes("sundial")));
  await reads("filter: like, a star", () => books().like("title", "The*"), those((row) => row.title.startsWith("The")));
  await reads("filter: ilike", () => books().ilike("title", "%CLOCKS%"), those((row) => /clocks/i.test(row.title)));
  await reads("filter: likeAllOf", () => books().likeAllOf("title", ["%o%", "%sundial%"]), those((row) => row.title.includes("o") && row.title.includes("sundial")));
  await reads("filter: likeAnyOf", () => books().likeAnyOf("title", ["Notes%", "%boat"]), those((row) => /^Notes|boat$/.test(row.title)));
  await reads("filter: ilikeAllOf", () => books().ilikeAllOf("title", ["THE%", "%SUNDIAL"]), [{ book: 2 }]);
  await reads("filter: ilikeAnyOf", () => books().ilikeAnyOf("title", ["notes%", "%BOAT"]), those((row) => /^Notes|boat$/.test(row.title)));
  await reads("filter: regexMatch", () => books().regexMatch("title", "^(Notes|The) "), those((row) => /^(Notes|The) /.test(row.title)));
  await reads("filter: regexIMatch", () => books().regexIMatch("title", "PROOF$"), those((row) => /proof$/i.test(row.title)));

  await reads("filter: is null", () => books().is("in_print", null), those((row) => row.in_print === null));
  await reads("filter: is true", () => books().is("in_print", true), those((row) => row.in_print === true));
  await reads("filter: is false", () => books().is("in_print", false), those((row) => row.in_print === false));
  await reads("filter: not is null", () => books().not("blurb", "is", null), those((row) => row.blurb !== null));
  await reads("filter: isDistinct", () => books().isDistinct("author", "bea"), those((row) => row.author !== "bea"));
  await reads("filter: in", () => books().in("pages", [90, 640, 7]), those((row) => [90, 640].includes(row.pages)));
  const titles = ['Anonymous, "collected" (vol. 1)', "100% proof", "none"];
  await reads("filter: in, texts with commas and parentheses", () => books().in("title", titles.slice(1)), [{ book: 6 }]);
  await reads("filter: in, an empty list", () => books().in("pages", []), []);
  await reads("filter: notIn", () => books().notIn("pages", [90, 350]), those((row) => ![90, 350].includes(row.pages)));

  await reads("filter: contains, an array", () => books().contains("tags", ["short"]), those((row) => row.tags.includes("short")));
  await reads("filter: contains, json", () => books().contains("details", { lang: "en" }), those((row) => row.details?.lang === "en"));
  await reads("filter: contains, json within json", () => books().contains("details", { size: { w: 14 } }), those((row) => row.details?.size?.w === 14));
  await reads("filter: contains, a literal", () => books().contains("tags", '{"a,b"}'), [{ book: 2 }]);
  await reads(
    "filter: containedBy",
    () => books().containedBy("tags", ["classic", "short", "maps"]),
    those((row) => row.tags.every((tag) => ["classic", "short", "maps"].includes(tag))),
  );
  await reads("filter: containedBy, json", () => books().containedBy("details->size", { w: 14, h: 21, d: 3 }), [{ book: 2 }]);
  await reads("filter: overlaps", () => books().overlaps("tags", ["maps", "classic"]), those((row) => row.tags.some((tag) => ["maps", "classic"].includes(tag))));
  await reads("filter: overlaps, numbers", () => books().overlaps("ratings", [1, 3]), those((row) => row.ratings.some((stars) => [1, 3].includes(stars))));
  for (const [name, call] of [
    ["rangeGt", (query) => query.rangeGt("ratings", "[1,2]")],
    ["rangeGte", (query) => query.rangeGte("ratings", "[1,2]")],
    ["rangeLt", (query) => query.rangeLt("ratings", "[1,2]")],
    ["rangeLte", (query) => query.rangeLte("ratings", "[1,2]")],
    ["rangeAdjacent", (query) => query.rangeAdjacent("ratings", "[1,2]")],
  ]) {
    // No column has ranges: what Postgres says of another type is passed on.
    await refused(`filter: ${name}, of a column that has no ranges`, () => call(client.from("books").select("book")), 404, "42883");
  }

  await reads("filter: textSearch, an index", () => books().textSearch("words", "sundial"), [{ book: 2 }, { book: 3 }]);
  await reads("filter: textSearch, operators", () => books().textSearch("words", "sundial & !clock"), []);
  await reads("filter: textSearch, plain", () => books().textSearch("words", "the clocks shadows", { type: "plain" }), [{ book: 2 }]);
  await reads("filter: textSearch, phrase", () => books().textSearch("words", "travel by water", { type: "phrase" }), [{ book: 4 }]);
  await reads("filter: textSearch, websearch", () => books().textSearch("words", "sundial -novel", { type: "websearch" }), [{ book: 3 }]);
  await reads("filter: textSearch, a column and a language", () => books().textSearch("title", "sundials", { config: "english" }), [{ book: 2 }, { book: 3 }]);

  await reads("filter: match", () => books().match({ pages: 350, in_print: false }), those((row) => row.pages === 350 && row.in_print === false));
  await reads("filter: not", () => books().not("pages", "gt", 200), those((row) => row.pages <= 200));
  await reads("filter: not in", () => books().not("pages", "in", "(90,350)"), those((row) => ![90, 350].includes(row.pages)));
  await reads("filter: or", () => books().or("pages.lt.100,price.gt.50"), those((row) => row.pages < 100 || row.price > 50));
  await reads(
    "filter: or, with and and not within",
    () => books().or("and(pages.gt.100,pages.lt.300),not.and(price.lt.50,book.gte.0)"),
    those((row) => (row.pages > 100 && row.pages < 300) || row.price >= 50),
  );
  await reads("filter: or, in and quotes", () => books().or('title.eq."100% proof",pages.in.(90,640)'), those((row) => [3, 5, 6].includes(row.book)));
  await reads("filter: or, arrays", () => books().or("tags.cs.{maps},tags.ov.{classic}"), those((row) => row.tags.some((tag) => ["maps", "classic"].includes(tag))));
  await reads("filter: two trees", () => books().or("pages.lt.100,pages.gt.300").or("in_print.is.false,price.gt.50"), [{ book: 3 }, { book: 5 }, { book: 6 }]);
  await reads("filter: filter", () => books().filter("pages", "in", "(90,640)"), [{ book: 3 }, { book: 5 }]);
  await reads("filter: filter, a quantifier", () => books().filter("pages", "gt(any)", "{300,600}"), those((row) => row.pages > 300));
  await reads("filter: filter, the other quantifier", () => books().filter("pages", "gt(all)", "{300,600}"), those((row) => row.pages > 600));

  await reads("filter: a path into json, text", () => books().eq("details->>lang", "ga"), [{ book: 3 }]);
  await reads("filter: a path into json, a number", () => books().gt("details->size->w", 12), those((row) => row.details?.size?.w > 12));
  await reads("filter: a path into json, an element", () => books().eq("details->awards->>0", "gold"), [{ book: 1 }]);
  await reads("filter: a path into json, in a tree", () => books().or("details->>lang.eq.tr,details->size->>h.eq.15"), [{ book: 3 }, { book: 4 }]);
  await reads("filter: a path into json, null", () => books().is("details->size", null), those((row) => row.details?.size === undefined));
  await refused("filter: a column that is not there", () => books().eq("publisher", "x"), 400, "42703");
  await refused("filter: an operator that is not there", () => books().filter("pages", "near", "5"), 400, "PGRST100");
}
