#!/usr/bin/env python3
"""Reads the streams of the Dispense Service as a consumer should, and checks what it has read.

Take it as a pattern. `read` is the consumer: it sees committed messages only, and keeps what it was told
and how far it has read in one transaction of its own database, so that it may be killed at any moment
and neither misses nor doubles anything. The rest checks: from the headers alone that every event was
told once and in order, and with --events that it is the event of the log.

    consumer.py --brokers HOST:PORT [--idle 5]
    consumer.py --brokers HOST:PORT --until 0:120,1:98
    consumer.py --brokers HOST:PORT --events http://HOST:PORT/api/v1/events --token TOKEN

What the headers say, and what can be relied on, stands in docs/streams.md. It needs Python 3.9 and
confluent-kafka (Debian: python3-confluent-kafka).

Exit codes: 0 everything is there once and in order, 1 it is not, or could not be read, 2 wrong usage.
"""

import argparse
import json
import os
import sqlite3
import sys
import time
import urllib.error
import urllib.request

try:
    from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
except ImportError:
    sys.exit("consumer.py needs confluent-kafka: apt-get install python3-confluent-kafka")

RECORDED = "ndp.events.dispense.recorded"
FULLY_DISPENSED = "ndp.events.prescription.fully_dispensed"
HOLD_CREATED = "ndp.events.dispense.hold_created"
EXPIRED = "ndp.events.dispense.expired"
CANCELLED = "ndp.events.dispense.cancelled"
TOPICS = [RECORDED, FULLY_DISPENSED, HOLD_CREATED, EXPIRED, CANCELLED]

BATCH = 1_000
BROKERS_WITHIN = 15
PAGE = 10_000
PAGE_WITHIN = 60
MOST_PARTITIONS = 1_024
MOST_FINDINGS = 100

# Everything that a message says in its headers, and how far each partition of a topic was read. A real
# consumer has tables of its own in place of `messages`; `offsets` it needs just so.
TABLES = """
CREATE TABLE IF NOT EXISTS offsets (
    topic TEXT, part INTEGER, next INTEGER NOT NULL, PRIMARY KEY (topic, part));
CREATE TABLE IF NOT EXISTS messages (
    topic TEXT, part INTEGER, offset INTEGER, id TEXT NOT NULL, source TEXT NOT NULL,
    subject TEXT NOT NULL, time TEXT NOT NULL, key TEXT NOT NULL, hash TEXT NOT NULL,
    partition INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (topic, part, offset));
CREATE INDEX IF NOT EXISTS messages_by_place ON messages (partition, position);
CREATE INDEX IF NOT EXISTS messages_by_subject ON messages (subject);
CREATE TABLE IF NOT EXISTS unreadable (
    topic TEXT, part INTEGER, offset INTEGER, why TEXT NOT NULL, PRIMARY KEY (topic, part, offset));
CREATE TEMP TABLE log (
    partition INTEGER, position INTEGER, event_id TEXT, subject TEXT, time TEXT, key TEXT, hash TEXT,
    PRIMARY KEY (partition, position));
CREATE TEMP TABLE told (partition INTEGER, position INTEGER, topic TEXT, PRIMARY KEY (partition, position, topic));
CREATE TEMP TABLE withdrawn (topic TEXT, part INTEGER, offset INTEGER, PRIMARY KEY (topic, part, offset));
CREATE TEMP VIEW valid AS SELECT * FROM messages m WHERE NOT EXISTS (
    SELECT 1 FROM withdrawn w WHERE w.topic = m.topic AND w.part = m.part AND w.offset = m.offset);
"""


class Failed(Exception):
    """It could not be read, so that nothing can be said of it."""


# The consumer


def connect(options):
    """A consumer that sees what was committed, and that nobody else moves."""
    settings = {
        "bootstrap.servers": options.brokers,
        # No offset is kept at the brokers, but the client wants a name.
        "group.id": "streams-check",
        "enable.auto.commit": False,
        # Messages of a transaction that was given up never happened.
        "isolation.level": "read_committed",
        # A topic that was made again, or that has forgotten what we have yet to read, is an error.
        "auto.offset.reset": "error",
        # Who wants to come to an end has to know where that is.
        "enable.partition.eof": True,
    }
    return Consumer({**settings, **dict(options.config)})


def assign(consumer, store, prefix):
    """Goes on where our own database ends; returns how many partitions there are to read."""
    known = consumer.list_topics(timeout=BROKERS_WITHIN).topics
    wanted = []
    for topic in TOPICS:
        name = prefix + topic
        if name not in known or known[name].error or not known[name].partitions:
            raise Failed(f"there is no topic {name} that we may read; `dispense streams topics` makes it")
        for part in known[name].partitions:
            kept = store.execute("SELECT next FROM offsets WHERE topic = ? AND part = ?", (topic, part)).fetchone()
            wanted.append(TopicPartition(name, part, kept[0] if kept else OFFSET_BEGINNING))
    consumer.assign(wanted)
    return len(wanted)


def parse(topic, message):
    """The headers of a message, or why they are not those of the streams."""
    headers = {name: (value or b"").decode("utf-8", "replace") for name, value in message.headers() or []}
    absent = [name for name in ("id", "source", "subject", "time", "sequence", "hash") if f"ce_{name}" not in headers]
    if absent:
        raise ValueError("without " + ", ".join(f"ce_{name}" for name in absent))
    key = (message.key() or b"").decode("utf-8", "replace")
    if (headers.get("ce_specversion"), headers.get("content-type")) != ("1.0", "application/json"):
        raise ValueError("no CloudEvent 1.0 with JSON")
    if headers.get("ce_type") != topic or headers["ce_id"].rpartition("/")[2] != topic.rpartition(".")[2]:
        raise ValueError(f"{headers.get('ce_type')} with id {headers['ce_id']} does not belong here")
    if headers.get("ce_partitionkey") != key:
        raise ValueError(f"its key is {key}, and ce_partitionkey {headers.get('ce_partitionkey')}")
    partition, _, position = headers["ce_sequence"].partition(":")
    if not (partition.isdecimal() and position.isdecimal()):
        raise ValueError(f"ce_sequence is {headers['ce_sequence']}")
    about = [headers[f"ce_{name}"] for name in ("id", "source", "subject", "time")]
    return (*about, key, headers["ce_hash"], int(partition), int(position))


def read(consumer, store, prefix, partitions, is_enough, idle):
    """Reads until there is enough, or until nothing has come for so many seconds."""
    heard, ended = time.monotonic(), set()
    while True:
        rows, strange, offsets = [], [], {}
        for message in consumer.consume(BATCH, timeout=0.5):
            if message.error():
                code = message.error().code()
                if code == KafkaError._PARTITION_EOF:
                    ended.add((message.topic(), message.partition()))
                    continue
                if code in (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE):
                    continue  # The client goes on trying by itself; our patience is `idle`.
                raise Failed(f"{message.topic() or 'the brokers'}: {message.error().str()}")
            topic = message.topic()[len(prefix):]
            place = (topic, message.partition(), message.offset())
            offsets[place[:2]] = message.offset() + 1
            try:
                rows.append(place + parse(topic, message))
            except ValueError as why:
                strange.append((*place, str(why)))
        # What was told and how far we have read, both or neither: this is what makes it exactly once.
        # The brokers are told nothing; who commits offsets there has two truths.
        with store:
            store.executemany("INSERT INTO messages VALUES (?,?,?,?,?,?,?,?,?,?,?)", rows)
            store.executemany("INSERT INTO unreadable VALUES (?,?,?,?)", strange)
            store.executemany(
                "INSERT INTO offsets VALUES (?,?,?) ON CONFLICT (topic, part) DO UPDATE SET next = excluded.next",
                [(*where, offset) for where, offset in offsets.items()],
            )
        if offsets:
            heard = time.monotonic()
        elif time.monotonic() - heard > idle or (len(ended) == partitions and is_enough()):
            return


# From the headers alone


def gaps(store, partition, after, until):
    """Stretches of positions that nobody told of, and how many holds were processed at once.

    The log counts every event of a partition. One kind is told nowhere: the beginning of a dispense that
    was processed at once. It stands right before its end, which is told, and the dispense has no hold.
    """
    rows = store.execute(
        """SELECT position, max(topic = ? AND NOT EXISTS (
                      SELECT 1 FROM valid h WHERE h.subject = m.subject AND h.topic = ?))
           FROM valid m WHERE partition = ? AND position > ? GROUP BY position ORDER BY position""",
        (RECORDED, HOLD_CREATED, partition, after),
    )
    missing, at_once, expected = [], 0, after + 1
    for position, is_at_once in rows:
        if position > expected:
            if is_at_once:
                at_once += 1
            if position - 1 - is_at_once >= expected:
                missing.append((expected, position - 1 - is_at_once))
        expected = position + 1
    if until is not None and expected <= until:
        missing.append((expected, until))
    return missing, at_once


def check_order(store, find, epoch):
    """Positions that rise. In each later epoch the log may have gone on from further below, once.

    What was told before that, and came again after it, is set aside: it was told once in the new epoch.
    """
    last, falls, copies, again = {}, {}, {}, []
    for topic, part, offset, partition, position, ident in store.execute(
        "SELECT topic, part, offset, partition, position, id FROM valid ORDER BY topic, part, offset"
    ):
        stretch = (topic, part, partition)
        before = last.get(stretch, (0, None))
        last[stretch] = (position, ident)
        if position <= before[0]:
            if falls.get(stretch, 0) + 1 < epoch:
                falls[stretch] = falls.get(stretch, 0) + 1
            elif ident != before[1]:  # Else it is doubled, which is found elsewhere.
                find("out-of-order", f"{topic}, partition {part}, offset {offset}: {partition}:{position} after {before[0]}")
        if epoch > 1:
            told_in = falls.get(stretch, 0)
            if copies.get(ident, (told_in,))[0] < told_in:
                again.append(copies[ident][1])
            copies[ident] = (told_in, (topic, part, offset))
    with store:
        store.executemany("INSERT INTO withdrawn VALUES (?,?,?)", again)
    return len(again)


def check_headers(store, find):
    """Each message once, of one event each, and a dispense that begins before it ends."""
    for topic, part, offset, why in store.execute("SELECT * FROM unreadable"):
        find("altered", f"{topic}, partition {part}, offset {offset}: {why}")
    for ident, count in store.execute("SELECT id, count(*) FROM valid GROUP BY id HAVING count(*) > 1"):
        find("doubled", f"{ident} comes {count} times")
    # Where all messages of a key stand in one partition of the topic, they are in order with it.
    for topic, key in store.execute(
        "SELECT topic, key FROM valid GROUP BY topic, key HAVING count(DISTINCT part) > 1 OR count(DISTINCT partition) > 1"
    ):
        find("out-of-order", f"{topic}: the messages of {key} stand in several partitions")
    for partition, position in store.execute(
        "SELECT partition, position FROM valid GROUP BY partition, position "
        "HAVING count(DISTINCT hash) > 1 OR count(DISTINCT substr(id, 1, 36)) > 1"
    ):
        find("altered", f"{partition}:{position} is told as two events; did the log lose its tail?")
    # Across topics ce_sequence is the order: a dispense begins before it ends, and ends once.
    for subject, begun, ended, ends in store.execute(
        """SELECT subject, max(iif(topic = ?1, position, NULL)), min(iif(topic <> ?1, position, NULL)),
                  count(DISTINCT iif(topic <> ?1, id, NULL))
           FROM valid WHERE topic <> ?2 GROUP BY subject""",
        (HOLD_CREATED, FULLY_DISPENSED),
    ):
        if ends > 1:
            find("doubled", f"dispense {subject} ends {ends} times")
        if begun is not None and ended is not None and begun >= ended:
            find("out-of-order", f"dispense {subject} ends at {ended} and begins at {begun}")
    sources = [source for source, in store.execute("SELECT DISTINCT source FROM valid ORDER BY source")]
    if len(sources) > 1:
        find("unknown", f"messages of several logs: {', '.join(sources)}")


# With the log


def topics_of(event):
    """Where an event is told."""
    payload = event["payload"]
    if event["type"] == "HoldCreated":
        return [] if payload["processed_at_once"] else [HOLD_CREATED]
    if event["type"] == "Processed":
        return [RECORDED, FULLY_DISPENSED] if payload["remaining"] == "0" else [RECORDED]
    return [{"Cancelled": CANCELLED, "Expired": EXPIRED}[event["type"]]]


def page(options, partition, after):
    """The events of a partition behind a position, and the epoch of the log; None beyond the last partition."""
    url = f"{options.events}?partition={partition}&after={after}&limit={PAGE}"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {options.token}"})
    try:
        with urllib.request.urlopen(request, timeout=PAGE_WITHIN) as answer:
            return [json.loads(line) for line in answer], int(answer.headers["Dispense-Epoch"])
    except urllib.error.HTTPError as refused:
        if refused.code == 422 and partition > 0:
            return None
        raise Failed(f"{url} answers {refused.code}: {refused.read(2_000).decode('utf-8', 'replace')}") from refused
    except OSError as silent:
        raise Failed(f"{url}: {silent}") from silent


def read_log(options, store, ends):
    """Reads the log on to its end, and moves `ends` there; returns its epoch."""
    epoch = 1
    for partition in range(MOST_PARTITIONS):
        while True:
            found = page(options, partition, ends.get(partition, 0))
            if found is None:
                return epoch
            events, epoch = found
            with store:
                for event in events:
                    place = (partition, event["position"])
                    names = ("eventId", "dispenseId", "recordedAt", "medicationRequestId", "hash")
                    store.execute("INSERT INTO log VALUES (?,?,?,?,?,?,?)", (*place, *(event[it] for it in names)))
                    store.executemany("INSERT INTO told VALUES (?,?,?)", [(*place, topic) for topic in topics_of(event)])
            ends[partition] = events[-1]["position"] if events else ends.get(partition, 0)
            if len(events) < PAGE:
                break
    return epoch


def withdraw(store):
    """Sets aside what was told of events that a log in a later epoch does not have: it lost them.

    An event that should be told and is not is missing all the same, so nothing can hide here but what is
    told too much.
    """
    with store:
        store.execute(
            """INSERT INTO withdrawn SELECT topic, part, offset FROM messages m WHERE NOT EXISTS (
                   SELECT 1 FROM log l WHERE l.partition = m.partition AND l.position = m.position AND l.hash = m.hash)"""
        )
    return store.execute("SELECT count(*) FROM withdrawn").fetchone()[0]


def untold(store, after, until):
    """What was not told of the events of the log between those positions."""
    for partition, position, topic in store.execute(
        """SELECT partition, position, topic FROM told t WHERE NOT EXISTS (
               SELECT 1 FROM valid m
               WHERE m.partition = t.partition AND m.position = t.position AND m.topic = t.topic)"""
    ):
        if after.get(partition, 0) < position <= until.get(partition, 0):
            yield f"{partition}:{position} is not in {topic}"


def compare(store, find, after, until):
    """Every event of the log is told as it is, in all its topics, and nothing else is."""
    for what in untold(store, after, until):
        find("missing", what)
    for topic, partition, position in store.execute(
        """SELECT m.topic, m.partition, m.position FROM valid m WHERE NOT EXISTS (
               SELECT 1 FROM told t
               WHERE t.partition = m.partition AND t.position = m.position AND t.topic = m.topic)"""
    ):
        find("unknown", f"{topic} tells {partition}:{position}, and the log has nothing to be told there")
    for ident, partition, position in store.execute(
        """SELECT m.id, m.partition, m.position FROM valid m JOIN log l USING (partition, position)
           WHERE m.hash <> l.hash OR substr(m.id, 1, 36) <> l.event_id OR m.subject <> l.subject
              OR m.time <> l.time OR m.key <> l.key"""
    ):
        find("altered", f"{ident} is not what the log has at {partition}:{position}")


# The command


def places(text):
    """`0:120,1:98` as positions by partition."""
    try:
        return {int(partition): int(position) for partition, position in (it.split(":") for it in text.split(","))}
    except ValueError:
        raise argparse.ArgumentTypeError("expected partition:position, such as 0:120,1:98") from None


def setting(text):
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError("expected NAME=VALUE, such as security.protocol=ssl")
    return name, value


def arguments():
    title, _, rest = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="consumer.py", description=title, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--brokers", required=True, metavar="HOST:PORT,…", help="where Kafka is")
    add("--prefix", default="", help="what stands before the names of the topics (KAFKA_TOPIC_PREFIX)")
    add("--config", action="append", default=[], type=setting, metavar="NAME=VALUE",
        help="a setting of librdkafka, such as sasl.username=reader; may come several times")
    add("--state", default="", metavar="FILE", help="a SQLite file to go on from; without it everything is read again")
    add("--events", metavar="URL", help="compare with the log: GET /api/v1/events of the service")
    add("--token", default=os.environ.get("DISPENSE_TOKEN"), help="with scope audit:read (or DISPENSE_TOKEN)")
    add("--after", default={}, type=places, metavar="P:N,…", help="do not ask for positions up to there (retention)")
    add("--until", default={}, type=places, metavar="P:N,…",
        help="end when every position up to there was told; with --events the end of the log, unless stated")
    add("--idle", default=5.0, type=float, metavar="SECONDS", help="end when nothing has come for so long (5)")
    add("--json", action="store_true", help="print the summary as JSON")
    options = parser.parse_args()
    if options.events and not options.token:
        parser.error("--events needs --token")
    return options


def check(options, store):
    counts, findings = {}, []

    def find(kind, what):
        counts[kind] = counts.get(kind, 0) + 1
        if len(findings) < MOST_FINDINGS:
            findings.append({"kind": kind, "what": what})

    ends, epoch, withdrawn = {}, 1, 0
    if options.events:
        read_log(options, store, ends)
    until = options.until or dict(ends)

    def is_complete():
        if options.events:
            return next(untold(store, options.after, until), None) is None
        return bool(until) and not any(gaps(store, it, options.after.get(it, 0), until[it])[0] for it in until)

    consumer = connect(options)
    try:
        partitions = assign(consumer, store, options.prefix)
        read(consumer, store, options.prefix, partitions, is_complete, options.idle)
    finally:
        consumer.close()
    if options.events:
        # What was told in the meantime stands in the log by now.
        epoch = read_log(options, store, ends)
        if epoch > 1:
            withdrawn = withdraw(store)
        compare(store, find, options.after, until)
    withdrawn += check_order(store, find, epoch)
    check_headers(store, find)

    reached = dict(store.execute("SELECT partition, max(position) FROM valid GROUP BY partition"))
    at_once = 0
    for partition in sorted({*reached, *until}):
        missing, found = gaps(store, partition, options.after.get(partition, 0), until.get(partition))
        at_once += found
        if not options.events:
            for first, last in missing:
                find("missing", f"{partition}:{first}" + (f" to {partition}:{last}" if last > first else ""))
    messages, events = store.execute(
        "SELECT count(*), count(DISTINCT partition || ':' || position) FROM valid").fetchone()
    return {
        "ok": not counts, "partitions": partitions, "messages": messages, "events": events,
        "processedAtOnce": at_once, "withdrawn": withdrawn, "epoch": epoch,
        "reached": {str(partition): reached[partition] for partition in sorted(reached)},
        "topics": dict(store.execute("SELECT topic, count(*) FROM valid GROUP BY topic ORDER BY topic")),
        "counts": counts, "findings": findings,
    }


def main():
    options = arguments()
    store = sqlite3.connect(options.state or ":memory:")
    try:
        store.executescript(TABLES)
        summary = check(options, store)
    except (Failed, KafkaException, sqlite3.Error) as why:
        sys.exit(f"consumer.py: {why.args[0].str() if isinstance(why, KafkaException) else why}")
    finally:
        store.close()
    if options.json:
        print(json.dumps(summary))
    else:
        print(f"{summary['messages']} messages of {summary['events']} events; "
              f"{summary['processedAtOnce']} holds were processed at once; {summary['withdrawn']} messages withdrawn")
        print("up to " + ", ".join(f"{partition}:{position}" for partition, position in summary["reached"].items()))
        for finding in summary["findings"]:
            print(f"{finding['kind']}: {finding['what']}")
        print("every event once and in order" if summary["ok"] else f"NOT in order: {summary['counts']}")
    return 0 if summary["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
