#!/usr/bin/env python3
"""Checks what an export does not have: personal bodies, and the chain of registry changes.

Reads the files that docs/audit/database.sql wrote into this folder, and needs Python 3 alone. What the
bytes are stands in docs/audit.md. Exit codes: 0 whole, 1 not.
"""

import hashlib
import json
import sys
import uuid


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def columns(previous, *values):
    return sha(previous, *(len(value).to_bytes(4, "big") + value for value in values))


def number(value):
    return int(value).to_bytes(8, "big", signed=True)


def ident(value):
    return uuid.UUID(value).bytes if value else b""


def rows(name):
    with open(name, encoding="utf-8") as file:
        for line in file:
            yield line.rstrip("\n").split("\t")


def stop(sentence):
    sys.exit(f"BROKEN: {sentence}")


((log_id, partitions),) = rows("log.tsv")
log_id, partitions = uuid.UUID(log_id).bytes, int(partitions)
ends = {("log", p): (0, sha(log_id, p.to_bytes(2, "big"), partitions.to_bytes(2, "big"))) for p in range(partitions)}
bodies = gone = events = changes = 0

erased, last, previous = set(), 0, sha(b"erasure", log_id)
for place, kind, record, reason, user, at, places, found in rows("erasures.tsv"):
    if int(place) != last + 1:
        stop(f"erasures: number {place} follows {last}")
    places = bytes.fromhex(places)
    previous = columns(previous, number(place), bytes.fromhex(kind), ident(record), bytes.fromhex(reason),
                       bytes.fromhex(user), number(at), places)
    if previous.hex() != found:
        stop(f"erasures, number {place}: the hash is {found}, and should be {previous.hex()}")
    erased |= {(it["partition"], it["position"]) for it in json.loads(places)
               if it["place"] == "personal_bodies" and "position" in it and "kept" not in it}
    last = int(place)

for row in rows("events.tsv"):
    partition, position, sequence, *texts = row[:9]
    texts = [bytes.fromhex(text) for text in texts]
    event, dispense, at, found, body = row[9:]
    before, previous = ends["log", int(partition)]
    if int(position) != before + 1:
        stop(f"partition {partition}: position {position} follows {before}")
    expected = columns(previous, texts[0], texts[1], number(sequence), *texts[2:], number(partition),
                       number(position), ident(event), ident(dispense), number(at))
    if expected.hex() != found:
        stop(f"partition {partition}, position {position}: the hash is {found}, and should be {expected.hex()}")
    digest = json.loads(texts[4]).get("personal")
    if body and hashlib.sha256(bytes.fromhex(body)).hexdigest() != digest:
        stop(f"partition {partition}, position {position}: the personal body is not the one that was written")
    if digest and not body and (int(partition), int(position)) not in erased:
        stop(f"partition {partition}, position {position}: the personal body is gone, and no erasure says so")
    bodies += bool(body)
    gone += bool(digest and not body)
    events += 1
    ends["log", int(partition)] = (int(position), expected)

for partition, place, kind, record, version, digest, user, client, at, found, source in rows("changes.tsv"):
    chain = ("registry", int(partition))
    before, previous = ends.get(chain, (0, sha(b"registry", log_id, int(partition).to_bytes(2, "big", signed=True))))
    if int(place) != before + 1:
        stop(f"registry changes {partition}: number {place} follows {before}")
    expected = columns(previous, number(partition), number(place), kind.encode(), ident(record), number(version),
                       bytes.fromhex(digest), ident(user), ident(client), number(at),
                       *([bytes.fromhex(source)] if source else []))
    if expected.hex() != found:
        stop(f"registry changes {partition}, number {place}: the hash is {found}, and should be {expected.hex()}")
    changes += 1
    ends[chain] = (int(place), expected)

heads = {(chain, int(partition)): (int(place), bytes.fromhex(found)) for chain, partition, place, found in rows("heads.tsv")}
for chain in ends.keys() | heads.keys():
    if heads.get(chain) != ends.get(chain):
        said = [f"{end[0]} {end[1].hex()}" if end else "nowhere" for end in (ends.get(chain), heads.get(chain))]
        stop(f"{chain[0]} {chain[1]}: the chain ends at {said[0]}, and its head says {said[1]}")
print(f"whole: {events} events, {bodies} personal bodies, {gone} erased by {last} erasures; {changes} registry changes")
