"""read_postgres.py HOST PORT USER PASSWORD DATABASE TABLE...: column v of tables, by id, as pg8000 reads it."""
import json
import sys

import pg8000.dbapi

host, port, user, password, database, *tables = sys.argv[1:]


def connect():
    made = pg8000.dbapi.connect(user=user, password=password, host=host, port=int(port), database=database)
    made.autocommit = True
    return made


connection = connect()
found = {}
for name in tables:
    values = found[name] = {}
    cursor = connection.cursor()
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
    if not cursor.fetchone()[0]:
        continue
    cursor.execute(f'SELECT id FROM "{name}" ORDER BY id')
    for (number,) in cursor.fetchall():
        try:
            cursor.execute(f'SELECT v FROM "{name}" WHERE id = {number}')
            values[number] = repr(cursor.fetchone()[0])
        except Exception as error:  # pylint: disable=broad-except  # whatever Python has no place for
            values[number] = type(error).__name__
            connection = connect()  # the old one is in the middle of an answer
            cursor = connection.cursor()
json.dump(found, sys.stdout)
