"""How each library reads a file of each format: to rows, each a dictionary."""

import duckdb
import pandas
import polars
import pyarrow.ipc


def duckdb_rows(kind, path):
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        if kind == "parquet":
            found = connection.execute(f"SELECT * FROM '{path}'")
        else:
            stream = pyarrow.ipc.open_stream(path)
            found = connection.register("stream", stream).execute("SELECT * FROM stream")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row)) for row in found.fetchall()]


def polars_rows(kind, path):
    read = polars.read_parquet if kind == "parquet" else polars.read_ipc_stream
    return read(path).to_dicts()


def pandas_rows(kind, path):
    frame = pandas.read_parquet(path) if kind == "parquet" else pyarrow.ipc.open_stream(path).read_pandas()
    return frame.to_dict("records")


READERS = {"duckdb": duckdb_rows, "polars": polars_rows, "pandas": pandas_rows}


def duck(file, expression):
    """What DuckDB makes of the rows of a file."""
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT {expression} FROM '{file.path}'").fetchall()
