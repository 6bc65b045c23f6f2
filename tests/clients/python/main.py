"""Reads the shop with postgrest of PyPI, and prints a line for each case:

    python main.py <URL of the read models> <URL of the same where plans are off> <events of the shop>
"""

import sys

from cases import report
from filters import filters
from postgrest import SyncPostgrestClient
from selects import embeddings, selects
from shapes import shapes
from shop import Shop


def main(url, plain_url, events):
    shop = Shop(events)
    with SyncPostgrestClient(url) as client, SyncPostgrestClient(plain_url) as plain:
        selects(client, shop)
        embeddings(client, shop)
        filters(client, shop)
        shapes(client, plain, url, shop)
    return 0 if report() else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
