"""Reading places from spreadsheets: a table, its columns, what is wrong with each row, and the rows that come back.

`table` reads xlsx and CSV, `columns` finds what each column means, `rows` makes facts of a row, `geography` compares
positions with what the row says of them, `report` tells what happened. Nothing here writes to the database.
"""

from .columns import Mapping, guess_mapping, parse_mapping
from .report import Flag, ImportReport, Outcome, RowReport, rejected_rows_file
from .table import Table, read_table

__all__ = [
    "Flag",
    "ImportReport",
    "Mapping",
    "Outcome",
    "RowReport",
    "Table",
    "guess_mapping",
    "parse_mapping",
    "read_table",
    "rejected_rows_file",
]
