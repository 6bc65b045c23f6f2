// The tables of the shop, folded from its events here: what the answers of the host are compared with.
import { readFileSync } from "node:fs";

/** The rows of each table, in the order of its key. */
export function shop(path) {
  const tables = { authors: [], genres: [], books: [], book_genres: [], covers: [], addresses: [], orders: [], lines: [] };
  for (const line of readFileSync(path, "utf8").split("\n")) {
    if (line !== "") fold(tables, JSON.parse(line));
  }
  sort(tables.authors, "author");
  sort(tables.genres, "genre");
  sort(tables.books, "book");
  sort(tables.book_genres, "book", "genre");
  sort(tables.covers, "book");
  sort(tables.addresses, "address");
  sort(tables.orders, "number");
  sort(tables.lines, "number", "line");
  return tables;
}

function fold(tables, { stream, type, time, data }) {
  const id = stream.slice(stream.indexOf("-") + 1);
  const or = (value) => value ?? null;
  switch (type) {
    case "AuthorAdded":
      tables.authors.push({ author: id, name: data.name, country: or(data.country), born: or(data.born), mentor: or(data.mentor) });
      break;
    case "GenreAdded":
      tables.genres.push({ genre: id, label: data.label });
      break;
    case "BookAdded": {
      const book = Number(id);
      const { title, isbn, pages, price, tags, details } = data;
      const rest = { price, added: time, in_print: or(data.in_print), tags, ratings: [], details };
      tables.books.push({ book, title, blurb: or(data.blurb), author: or(data.author), isbn, pages, ...rest });
      for (const genre of data.genres) tables.book_genres.push({ book, genre });
      if (data.cover) {
        const picture = `\\x${data.cover.picture.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
        tables.covers.push({ book, colour: data.cover.colour, picture });
      }
      break;
    }
    case "BookRated":
      tables.books.find((row) => row.book === Number(id)).ratings.push(data.stars);
      break;
    case "AddressAdded":
      tables.addresses.push({ address: id, street: data.street, city: data.city, opens: or(data.opens) });
      break;
    case "OrderPlaced": {
      const { customer, billing, lines } = data;
      tables.orders.push({ number: id, customer, placed: time, shipped: null, billing, shipping: or(data.shipping) });
      lines.forEach(({ book, quantity, price }, index) => tables.lines.push({ number: id, line: index + 1, book, quantity, price }));
      break;
    }
    case "OrderShipped":
      tables.orders.find((row) => row.number === id).shipped = data.local_time;
      break;
    default:
      throw new Error(`an event of type ${type}`);
  }
}

/** Sorts rows by columns of ASCII texts and numbers, null last. */
export function sort(rows, ...columns) {
  return rows.sort((left, right) => {
    for (const column of columns) {
      if (left[column] === right[column]) continue;
      if (left[column] === null) return 1;
      if (right[column] === null) return -1;
      return left[column] < right[column] ? -1 : 1;
    }
    return 0;
  });
}

/** The row with only these columns. */
export function pick(row, ...columns) {
  return Object.fromEntries(columns.map((column) => [column, row[column]]));
}
