#!/usr/bin/env python3
"""Checks an export of the log from nothing but itself.

A second check beside `dispense audit verify`, written from docs/audit.md alone, so that nobody has to
trust one program. It needs Python 3.9 and the package `cryptography`, for Ed25519. It is written to be
read, not to be fast: it keeps every medication request in memory and looks at one partition after the
other.

    verify.py EXPORT --key KEY|FILE [--checkpoint FILE ...] [--json]

Exit codes: 0 the export is whole, 1 it is not, 2 wrong usage.
"""

import argparse
import base64
import hashlib
import json
import pathlib
import re
import sys
import unicodedata
import uuid
import zlib
from datetime import datetime, timedelta, timezone

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    sys.exit("verify.py needs the package cryptography: apt-get install python3-cryptography")

LONGEST_LINE = 4 * 1024 * 1024
LONGEST_NOTE = 64 * 1024
LONGEST_LOG = 64 * 1024
MOST_SIGNATURES = 100
DEEPEST = 127

NUMBER = r"(0|-?[1-9][0-9]*)"
COUNT = r"(0|[1-9][0-9]*)"
ID = r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
PLAIN = r"([!#-\[\]-~]*)"
TIME = r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z)"
HASH = r"([0-9a-f]{64})"
BASE64 = r"([A-Za-z0-9+/]*={0,2})"

LOG = re.compile(
    rf'{{"format":"dispense-log/1","logId":"{ID}","partitions":{COUNT},"epoch":{COUNT},"key":(?:null|"([^"\\]*)")}}\n'
)
EVENT = re.compile(
    rf'{{"partition":{COUNT},"position":{NUMBER},"sequence":{NUMBER},"eventId":"{ID}","type":"{PLAIN}",'
    rf'"version":"{PLAIN}","recordedAt":"{TIME}","medicationRequestId":"{PLAIN}","dispenseId":"{ID}","payload":'
)
ERASURE = re.compile(rf'{{"number":{NUMBER},"kind":"{PLAIN}","id":"{ID}","reason":')
AT = re.compile(rf',"at":"{TIME}","places":')
END = re.compile(rf',"hash":"{HASH}"}}')
CHECKPOINT = re.compile(
    rf"dispense/{ID}/{COUNT}\n{COUNT}\n{BASE64}\nepoch {COUNT}\nerasures {COUNT} {BASE64}\n"
)
AMOUNT = re.compile(r"(0|[1-9][0-9]{0,6})(?:\.([0-9]{0,3}[1-9]))?")
PAYLOAD_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{3}|[0-9]{6}))?Z")


class Broken(Exception):
    """The first thing that is wrong."""

    def __init__(self, kind, expected, found):
        super().__init__(kind)
        self.kind, self.expected, self.found = kind, str(expected), str(found)
        self.place = {"partition": None, "position": None, "file": None, "line": None}

    def at(self, **place):
        self.place.update(place)
        return self


class WrongUsage(Exception):
    """Nothing was said of the export yet."""


# Hashes


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def after(previous, *columns):
    return sha(previous, *(len(column).to_bytes(4, "big") + column for column in columns))


def number(value):
    return value.to_bytes(8, "big", signed=True)


class Tree:
    """A Merkle tree that grows: the roots of its complete parts, largest first."""

    def __init__(self):
        self.size, self.parts = 0, []

    def append(self, row):
        node, size = sha(b"\0", row), self.size
        while size % 2:
            node, size = sha(b"\1", self.parts.pop(), node), size // 2
        self.parts.append(node)
        self.size += 1

    def root(self):
        if not self.parts:
            return sha()
        root = self.parts[-1]
        for part in reversed(self.parts[:-1]):
            root = sha(b"\1", part, root)
        return root


# Forms


def time(text):
    """Microseconds since 1970; ValueError for a day or an hour that there is not."""
    read = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    return (read - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1)


def decode(text):
    """Base64 in its one form."""
    read = base64.b64decode(text, validate=True)
    if base64.b64encode(read).decode() != text:
        raise ValueError("base64 in another form")
    return read


def fits(value, bits):
    return value if -(1 << bits) <= value < 1 << bits else refuse("a number that is too large")


def refuse(text):
    raise ValueError(text)


def finite(text):
    """No amount is written as a number, so their values do not matter; but too large ones are refused."""
    return refuse("a number that is too large") if abs(float(text)) == float("inf") else 0


# Finds the end of a JSON value, and looks at nothing else.
RAW = json.JSONDecoder(parse_float=len, parse_int=len, parse_constant=refuse)


def raw(text, begin):
    """The value that begins there, the text of it, and where it ends."""
    value, end = RAW.raw_decode(text, begin)
    return value, text[begin:end], end


def expect(pattern, text, begin):
    found = pattern.match(text, begin)
    return found if found else refuse("the line is not in the form in which it is written")


def depth(text):
    """How deep lists and objects stand in each other."""
    deepest = now = 0
    for mark in re.findall(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', text, re.DOTALL):
        now += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark, 0)
        deepest = max(deepest, now)
    return deepest


def once(members):
    read = dict(members)
    return read if len(read) == len(members) else refuse("a member stands there twice")


def strict(text):
    """JSON in which no member stands twice."""
    if depth(text) > DEEPEST:
        refuse("lists and objects stand too deep in each other")
    read = json.loads(text, object_pairs_hook=once, parse_float=finite, parse_int=finite, parse_constant=refuse)
    if "\\u" in text:
        json.dumps(read, ensure_ascii=False).encode()  # Half a pair of surrogates is no text.
    return read


def lines(path):
    """Number and bytes of each line, without its line break."""
    with path.open("rb") as file:
        count = 0
        while line := file.readline(LONGEST_LINE):
            count += 1
            yield count, line


def text_of(line):
    if not line.endswith(b"\n"):
        raise ValueError("a line without its line break, or too long")
    return line[:-1].decode()


# Signed notes


class Key:
    """`<name>+<id>+<base64 of 01 ‖ public key>`"""

    def __init__(self, text):
        text = text.strip()
        self.name, identity, encoded = text.split("+", 2)
        marked = decode(encoded)
        if not named(self.name) or len(marked) != 33 or marked[0] != 1:
            raise ValueError("not a key of Ed25519")
        self.id = sha(self.name.encode(), b"\n", marked)[:4]
        if identity != self.id.hex():
            raise ValueError("the id of the key does not fit its name and its bytes")
        self.public = Ed25519PublicKey.from_public_bytes(marked[1:])

    def verify(self, text, signature):
        try:
            self.public.verify(signature, text.encode())
        except InvalidSignature:
            raise Broken("signature", f"the signature of {self.name}", "one that does not fit") from None


def named(name):
    wrong = any(it.isspace() or it == "+" or unicodedata.category(it) == "Cc" for it in name)
    return name and not wrong and len(name.encode()) <= 255


def signature(line):
    dash, name, encoded = line.split(" ", 2)
    bytes_ = decode(encoded)
    if dash != "\u2014" or not named(name) or len(bytes_) < 5:
        raise ValueError("a line with a signature is malformed")
    return name, bytes_[:4], bytes_[4:]


def open_note(note, keys):
    """The text that a trusted key signed, and the names of those that did."""
    try:
        if len(note) > LONGEST_NOTE:
            raise ValueError("it is too long")
        note = note.decode()
        end = note.rindex("\n\n")
        text, rest = note[: end + 1], note[end + 2 :]
        if any(it < " " and it != "\n" for it in note) or not rest.endswith("\n"):
            raise ValueError("it is no signed note")
        signatures = [signature(line) for line in rest[:-1].split("\n")]
        if len(signatures) > MOST_SIGNATURES:
            raise ValueError("there are too many signatures")
    except ValueError as why:
        raise Broken("checkpoint", "a signed checkpoint", why) from None
    signers = set()
    for name, identity, bytes_ in signatures:
        key = next((key for key in keys if (key.name, key.id) == (name, identity)), None)
        if key:
            key.verify(text, bytes_)
            signers.add(name)
    if not signers:
        raise Broken("signature", "the signature of a trusted key", ", ".join(it[0] for it in signatures))
    return text, signers


def read_checkpoint(text):
    try:
        found = CHECKPOINT.fullmatch(text) or refuse("the five lines of a checkpoint are malformed")
        log, partition, size, root, epoch, erasures, hash_ = found.groups()
        read = {"log": uuid.UUID(log), "partition": int(partition), "size": fits(int(size), 64),
                "root": decode(root), "epoch": fits(int(epoch), 64),
                "erasures": fits(int(erasures), 64), "hash": decode(hash_)}
        if len(read["root"]) != 32 or len(read["hash"]) != 32 or read["partition"] > 65535:
            raise ValueError("the five lines of a checkpoint are malformed")
    except ValueError as why:
        raise Broken("checkpoint", "a checkpoint", why) from None
    return read


# Events


def amount(text):
    """An amount in ten-thousandths."""
    found = AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if not found:
        raise Broken("event", "an amount", text)
    return int(found[1] + (found[2] or "").ljust(4, "0"))


def payload_time(text):
    found = PAYLOAD_TIME.fullmatch(text) if isinstance(text, str) else None
    try:
        return time(f"{found[1]}.{(found[2] or '').ljust(6, '0')}Z")
    except (TypeError, ValueError):
        raise Broken("event", "a time", text) from None


def require(condition, kind, expected, found):
    if not condition:
        raise Broken(kind, expected, found)


def read_event(row, partitions):
    """What a row says of its event; its payload with amounts and times that can be counted."""
    require(re.fullmatch(ID, row["request"]), "event", "an id in its one form", row["request"])
    partition = (zlib.crc32(uuid.UUID(row["request"]).bytes) & 0xFFFF) % partitions
    require(partition == row["partition"], "partition", f"the medication request in {partition}", row["partition"])
    require(row["version"] == "1.0", "event", "version 1.0", row["version"])
    event_id = uuid.uuid5(row["dispense"], row["type"])
    require(event_id == row["event"], "event", event_id, row["event"])
    try:
        metadata, payload = strict(row["metadata"]), strict(row["payload"])
    except (ValueError, RecursionError) as why:
        raise Broken("event", "JSON without doubled members", why) from None
    flat = isinstance(metadata, dict) and all(isinstance(it, str) for it in metadata.values())
    require(flat, "event", "metadata: an object of texts", row["metadata"])
    require(isinstance(payload, dict), "event", "a payload", row["payload"])
    require(payload.get("type") == row["type"], "event", row["type"], payload.get("type"))
    require(payload.get("dispense_id") == str(row["dispense"]), "event", row["dispense"], payload.get("dispense_id"))
    event = dict(row)
    if row["type"] == "HoldCreated":
        request = payload.get("medication_request")
        named_request = request.get("id") if isinstance(request, dict) else None
        require(named_request == row["request"], "event", row["request"], named_request)
        event["prescribed"] = amount(payload.get("prescribed"))
        items = payload.get("items")
        require(isinstance(items, list) and items, "event", "items", items)
        quantities = [amount(item.get("quantity") if isinstance(item, dict) else None) for item in items]
        require(all(quantities), "event", "quantities above zero", quantities)
        event["taken"] = sum(quantities)
        at_once = payload.get("processed_at_once")
        require(at_once is False or (at_once is True and "expires_at" not in payload), "event",
                "processed_at_once, or expires_at", at_once)
        event["expires_at"] = None if at_once else payload_time(payload.get("expires_at"))
    elif row["type"] == "Processed":
        event["remaining"] = amount(payload.get("remaining"))
    elif row["type"] == "Expired":
        event["expires_at"] = payload_time(payload.get("expires_at"))
    else:
        require(row["type"] == "Cancelled", "event", "a kind of event", row["type"])
    return event


class Stream:
    """All dispenses of one medication request."""

    def __init__(self):
        self.sequence, self.prescribed, self.processed = 0, None, 0
        self.open, self.begun = {}, set()

    def take(self, event):
        kind, dispense = event["type"], event["dispense"]
        require(event["sequence"] == self.sequence + 1, "sequence", self.sequence + 1, event["sequence"])
        self.sequence += 1
        for hold, (_, expires_at) in self.open.items():
            if expires_at is None:
                require((kind, dispense) == ("Processed", hold), "order", f"Processed of {hold}", f"{kind} of {dispense}")
        if kind == "HoldCreated":
            self.hold(event)
            return
        require(dispense in self.open, "order", "a dispense that had begun and not ended", f"{kind} of {dispense}")
        taken, expires_at = self.open.pop(dispense)
        over = expires_at is not None and event["recorded_at"] > expires_at
        require(over == (kind == "Expired"), "order", "Expired if, and only if, the hold was over", kind)
        if kind == "Expired":
            require(event["expires_at"] == expires_at, "order", "expires_at of the hold", "another")
        if kind == "Processed":
            self.processed += taken
            remaining = max(self.prescribed - self.processed, 0)
            require(event["remaining"] == remaining, "quantity", remaining / 10000, event["remaining"] / 10000)

    def hold(self, event):
        dispense, prescribed = event["dispense"], event["prescribed"]
        require(dispense not in self.begun, "order", "a dispense that had not begun", dispense)
        self.prescribed = prescribed if self.prescribed is None else self.prescribed
        require(prescribed == self.prescribed, "quantity", self.prescribed / 10000, prescribed / 10000)
        self.begun.add(dispense)
        self.open[dispense] = (event["taken"], event["expires_at"])
        both = self.processed + sum(taken for taken, _ in self.open.values())
        require(both <= prescribed, "quantity", f"at most {prescribed / 10000}", both / 10000)


# The export


def read_row(text):
    """An event out of its line, if the line is in the form in which it is written."""
    head = expect(EVENT, text, 0)
    partition, position, sequence, event, kind, version, at, request, dispense = head.groups()
    _, payload, end = raw(text, head.end())
    if not text.startswith(',"metadata":', end):
        refuse("the line is not in the form in which it is written")
    _, metadata, end = raw(text, end + len(',"metadata":'))
    tail = expect(END, text, end)
    if tail.end() != len(text):
        refuse("something follows on the line")
    return {
        "partition": fits(int(partition), 16), "position": fits(int(position), 63),
        "sequence": fits(int(sequence), 63), "event": uuid.UUID(event), "type": kind, "version": version,
        "recorded_at": time(at), "request": request, "dispense": uuid.UUID(dispense),
        "payload": payload, "metadata": metadata, "hash": bytes.fromhex(tail[1]),
    }


def hash_row(previous, row):
    return after(
        previous, b"dispense", row["request"].encode(), number(row["sequence"]), row["type"].encode(),
        row["version"].encode(), row["payload"].encode(), row["metadata"].encode(), number(row["partition"]),
        number(row["position"]), row["event"].bytes, row["dispense"].bytes, number(row["recorded_at"]),
    )


def quoted(text, begin):
    """A text with as few escapes as JSON allows."""
    value, written, end = raw(text, begin)
    if not isinstance(value, str) or json.dumps(value, ensure_ascii=False) != written:
        refuse("a text in another form")
    return value.encode(), end


def read_erasure(text):
    head = expect(ERASURE, text, 0)
    reason, end = quoted(text, head.end())
    if not text.startswith(',"byUser":', end):
        refuse("the line is not in the form in which it is written")
    user, end = quoted(text, end + len(',"byUser":'))
    at = expect(AT, text, end)
    _, places, end = raw(text, at.end())
    tail = expect(END, text, end)
    if tail.end() != len(text):
        refuse("something follows on the line")
    columns = (number(fits(int(head[1]), 63)), head[2].encode(), uuid.UUID(head[3]).bytes, reason, user,
               number(time(at[1])), places.encode())
    return int(head[1]), head[2], places, columns, bytes.fromhex(tail[1])


class Export:
    """A folder, and what it is compared with."""

    def __init__(self, folder, keys, kept):
        self.folder, self.keys, self.kept = folder, keys, kept
        self.read_log()
        self.list()
        self.read_erasures()

    def read_log(self):
        path = self.folder / "log.json"
        try:
            text = path.read_bytes()[: LONGEST_LOG + 1].decode()
            found = LOG.fullmatch(text) or refuse("it is not in the form in which it is written")
            self.log, self.partitions, self.epoch = uuid.UUID(found[1]), int(found[2]), fits(int(found[3]), 64)
            if len(text) > LONGEST_LOG or not 1 <= self.partitions <= 1024:
                raise ValueError("partitions are malformed")
            if found[4] is not None and found[4] != found[4].strip():
                raise ValueError("the key is malformed")
            self.key = Key(found[4]) if found[4] is not None else None
        except (OSError, ValueError) as why:
            raise Broken("log", "what log it is", why).at(file="log.json") from None

    def list(self):
        """Which files there are. Names that begin with a dot are not looked at."""
        if not (self.folder / "erasures.ndjson").exists():
            raise Broken("layout", "a file, empty if nothing was erased", "none").at(file="erasures.ndjson")
        files = {"log.json", "erasures.ndjson"}
        folders = {"events": re.compile(r"([0-9]{12})\.ndjson"), "checkpoints": re.compile(r"([0-9]{12})\.txt")}
        found, strangers = {name: {} for name in folders}, []
        for top in self.names(""):
            if top not in folders:
                strangers += [] if top in files and (self.folder / top).is_file() else [top]
                continue
            if not (self.folder / top).is_dir():
                strangers.append(top)
                continue
            for name in self.names(top):
                path = f"{top}/{name}"
                partition = int(name) if re.fullmatch("[0-9]{4}", name) else self.partitions
                if partition >= self.partitions or not (self.folder / path).is_dir():
                    strangers.append(path)
                    continue
                for file in self.names(path):
                    numbered = folders[top].fullmatch(file)
                    if numbered and (self.folder / path / file).is_file():
                        found[top].setdefault(partition, []).append(int(numbered[1]))
                    else:
                        strangers.append(f"{path}/{file}")
        if strangers:
            raise Broken("layout", "only files that an export has", "another").at(file=min(strangers))
        self.segments = {partition: sorted(it) for partition, it in found["events"].items()}
        self.checkpoints = {partition: sorted(it) for partition, it in found["checkpoints"].items()}

    def names(self, path):
        return [it.name for it in (self.folder / path).iterdir() if not it.name.startswith(".")]

    def read_erasures(self):
        self.erased = [sha(b"erasure", self.log.bytes)]
        for count, line in lines(self.folder / "erasures.ndjson"):
            try:
                self.erased.append(self.erasure(line))
            except Broken as broken:
                raise broken.at(file="erasures.ndjson", line=count) from None

    def erasure(self, line):
        try:
            found, kind, places, columns, hash_ = read_erasure(text_of(line))
        except ValueError as why:
            raise Broken("line", "a line with an erasure", why) from None
        require(found == len(self.erased), "erasure", f"number {len(self.erased)}", found)
        expected = after(self.erased[-1], *columns)
        require(hash_ == expected, "erasure", f"hash {expected.hex()}", hash_.hex())
        require(kind in ("person", "party"), "erasure", "kind person or party", kind)
        try:
            listed = isinstance(strict(places), list)
        except (ValueError, RecursionError):
            listed = False
        require(listed, "erasure", "a list of places", places)
        return hash_

    def check(self):
        """What is whole; or the first thing that is broken."""
        for name, kept in self.kept:
            ours = kept["log"] == self.log and kept["partition"] < self.partitions and kept["epoch"] <= self.epoch
            if not ours:
                raise Broken("kept", "a checkpoint of this log", f"{kept['log']}/{kept['partition']}").at(file=name)
        partitions = [Partition(self, partition).check() for partition in range(self.partitions)]
        total = {name: sum(it[name] for it in partitions)
                 for name in ("rows", "covered", "medicationRequests", "checkpoints")}
        signed_by = sorted({name for it in partitions for name in it.pop("signedBy")})
        covered = max(it.pop("erasuresCovered") for it in partitions)
        return {"whole": True, "logId": str(self.log), "epoch": self.epoch, **total, "signedBy": signed_by,
                "erasures": len(self.erased) - 1, "erasuresCovered": covered, "partitions": partitions}


class Partition:
    """One partition, row after row."""

    def __init__(self, export, partition):
        self.export, self.partition = export, partition
        self.position, self.recorded_at, self.tree, self.streams = 0, None, Tree(), {}
        self.hash = sha(export.log.bytes, partition.to_bytes(2, "big"), export.partitions.to_bytes(2, "big"))
        self.sizes = export.checkpoints.get(partition, [])
        self.kept = [it for it in export.kept if it[1]["partition"] == partition]
        self.epoch = self.covered = self.erasures_covered = 0
        self.signed_by = set()

    def check(self):
        self.compare()
        for first in self.export.segments.get(self.partition, []):
            self.segment(first)
        self.tail()
        return {
            "partition": self.partition, "rows": self.position, "covered": self.covered,
            "checkpoints": len(self.sizes), "medicationRequests": len(self.streams), "hash": self.hash.hex(),
            "root": self.tree.root().hex(), "signedBy": self.signed_by, "erasuresCovered": self.erasures_covered,
        }

    def segment(self, first):
        file = f"events/{self.partition:04}/{first:012}.ndjson"
        place = {"partition": self.partition, "position": self.position + 1, "file": file}
        if first != self.position + 1:
            raise Broken("layout", f"a segment from position {self.position + 1} on", file).at(**place)
        for count, line in lines(self.export.folder / file):
            place = {**place, "position": self.position + 1, "line": count}
            try:
                self.row(line)
            except Broken as broken:
                raise broken.at(**place) from None
            self.compare()
        if "line" not in place:
            raise Broken("layout", "a row", "an empty file").at(**place)

    def row(self, line):
        try:
            row = read_row(text_of(line))
        except (ValueError, RecursionError) as why:
            raise Broken("line", "a line with an event", why) from None
        require(row["partition"] == self.partition, "partition", self.partition, row["partition"])
        require(row["position"] == self.position + 1, "position", self.position + 1, row["position"])
        expected = hash_row(self.hash, row)
        require(row["hash"] == expected, "hash", expected.hex(), row["hash"].hex())
        self.position, self.hash = row["position"], expected
        self.tree.append(expected)
        later = self.recorded_at is None or row["recorded_at"] >= self.recorded_at
        require(later, "time", "a time that is not before that of the last row", row["recorded_at"])
        self.recorded_at = row["recorded_at"]
        event = read_event(row, self.export.partitions)
        self.streams.setdefault(row["request"], Stream()).take(event)

    def compare(self):
        """With the checkpoints of as many rows as were read."""
        if self.position in self.sizes:
            self.checkpoint(self.position)
        for name, kept in self.kept:
            if kept["size"] == self.position:
                try:
                    self.agrees(kept, "kept")
                except Broken as broken:
                    raise broken.at(partition=self.partition, position=self.position, file=name) from None

    def checkpoint(self, size):
        file = f"checkpoints/{self.partition:04}/{size:012}.txt"
        try:
            with (self.export.folder / file).open("rb") as note:
                text, signers = open_note(note.read(LONGEST_NOTE + 1), self.export.keys)
            found = read_checkpoint(text)
            says = (found["log"], found["partition"], found["size"])
            require(says == (self.export.log, self.partition, size), "checkpoint", file, says)
            epochs = range(self.epoch, self.export.epoch + 1)
            require(found["epoch"] in epochs, "checkpoint", f"an epoch in {epochs}", found["epoch"])
            self.agrees(found, "root")
        except Broken as broken:
            raise broken.at(partition=self.partition, position=size, file=file) from None
        self.epoch = found["epoch"]
        self.signed_by |= signers

    def agrees(self, found, kind):
        erased = self.export.erased
        there = found["erasures"] < len(erased) and erased[found["erasures"]] == found["hash"]
        require(there, "erasure", f"erasure {found['erasures']} with hash {found['hash'].hex()}", len(erased) - 1)
        if found["size"] == self.position:
            require(found["root"] == self.tree.root(), kind, found["root"].hex(), self.tree.root().hex())
        self.covered = max(self.covered, found["size"])
        self.erasures_covered = max(self.erasures_covered, found["erasures"])

    def tail(self):
        """Nothing that a checkpoint covers may be missing at the end."""
        larger = [size for size in self.sizes if size > self.position]
        kept = sorted(((it["size"], name) for name, it in self.kept if it["size"] > self.position), key=lambda it: it[0])
        if larger:
            self.checkpoint(larger[0])
            size, file = larger[0], f"checkpoints/{self.partition:04}/{larger[0]:012}.txt"
        elif kept:
            size, file = kept[0]
        else:
            return
        raise Broken("tail", f"at least {size} rows", self.position).at(
            partition=self.partition, position=self.position + 1, file=file)


# The command line


def key_of(given):
    try:
        return Key(given)
    except ValueError:
        pass
    try:
        return Key(pathlib.Path(given).read_text(encoding="utf-8"))
    except (OSError, ValueError) as why:
        raise WrongUsage(f"--key {given}: neither a key nor a file with one: {why}") from None


def kept_of(path, keys):
    try:
        return path, read_checkpoint(open_note(pathlib.Path(path).read_bytes(), keys)[0])
    except OSError as why:
        raise WrongUsage(f"{path}: {why}") from None
    except Broken as why:
        raise WrongUsage(f"{path} is not believed: {why.found}") from None


def run(options):
    folder = pathlib.Path(options.folder)
    if not folder.is_dir():
        raise WrongUsage(f"{folder} is no folder")
    keys = [key_of(given) for given in options.key]
    if options.trust_exported_key:
        try:
            exported = LOG.fullmatch((folder / "log.json").read_text(encoding="utf-8"))
            keys.append(Key(exported[4]))
            print("warning: believing the key that the export itself names", file=sys.stderr)
        except (OSError, TypeError, ValueError, AttributeError):
            pass  # The check itself says what is wrong with it.
    if not keys and (options.checkpoint or any(folder.glob("checkpoints/*/*.txt"))):
        raise WrongUsage("there are checkpoints, and no key to believe: give one with --key")
    export = Export(folder, keys, [kept_of(path, keys) for path in options.checkpoint])
    return export.check()


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", metavar="EXPORT")
    options.add_argument("--key", action="append", default=[], metavar="FILE|KEY", help="a key whose signatures count")
    options.add_argument("--trust-exported-key", action="store_true", help="believe the key that the export names")
    options.add_argument("--checkpoint", nargs="+", action="extend", default=[], metavar="FILE",
                         help="checkpoints that you kept")
    options.add_argument("--json", action="store_true", help="print the result as JSON")
    options = options.parse_args()
    try:
        summary = run(options)
    except WrongUsage as why:
        print(f"verify.py: {why}", file=sys.stderr)
        return 2
    except Broken as broken:
        finding = {"kind": broken.kind, **broken.place, "expected": broken.expected, "found": broken.found}
        if options.json:
            print(json.dumps({"whole": False, "finding": finding}, ensure_ascii=False))
        else:
            place = ", ".join(f"{name} {it}" for name, it in broken.place.items() if it is not None)
            print(f"BROKEN: {place}: {broken.kind}: expected {broken.expected}, but found {broken.found}")
        return 1
    except OSError as why:
        print(f"verify.py: {why}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(summary))
    else:
        print("whole: {rows} events of {medicationRequests} medication requests, {erasures} erasures; "
              "checkpoints cover {covered} and {erasuresCovered} of them".format(**summary))
    return 0


if __name__ == "__main__":
    sys.exit(main())
