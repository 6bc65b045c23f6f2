"""Values as the libraries have them, in the form of JSON."""

import json
from datetime import timezone

import pandas


def shown(value, kind):
    """The value of a column of a type of Gnomon."""
    if kind.endswith("[]"):
        return [shown(element, kind.removesuffix("[]")) for element in value]
    # pandas has several values for null.
    if value is None or value is pandas.NaT or value is pandas.NA or (isinstance(value, float) and value != value):
        return None
    match kind:
        case "timestamp":
            return without_zeros(value.astimezone(timezone.utc).replace(tzinfo=None).isoformat()) + "Z"
        case "local_timestamp" | "date" | "time":
            return without_zeros(value.isoformat())
        case "bytes":
            return "\\x" + bytes(value).hex()
        case "decimal":
            return float(value)
        case "json":
            return json.loads(value)
        case "i64" | "integer" | "smallint":
            return int(value)
        case "bool":
            return bool(value)
        case _:
            return value


def without_zeros(time):
    """A time without the zeros at the end of its fraction, which JSON has not."""
    return time.rstrip("0").rstrip(".") if "." in time else time
