"""A shard's files by engine/log/FORMAT.md: read, changed and sealed again. Shares no code with it.

Whatever is put back has valid checksums, so that a test decides what is damaged and what is only
wrong: a version nobody knows, a batch of another shard, a record that contradicts.
"""
import dataclasses
import errno
import os
import struct

import xxhash

BLOCK = 4096
SEAL, OPEN, DIGEST = 1, 2, 4
HEADER = struct.Struct("<8sQHHIQIIQQQQQQQQQQII32s")
MARK = struct.Struct("<8sQHHIQQQQQQQQQQ16s")
MARK_FIELDS = ("shard", "cluster", "generation", "epoch", "term", "durable_seq", "durable_lsn",
               "chain", "segment", "end_block", "time")
PIECE = bytes(64 * 1024)


def checksum(data):
    return xxhash.xxh3_64_intdigest(data)


def blocks(size):
    return -(-size // BLOCK)


def segment_name(number):
    return f"log-{number:012}"


def sealed(header):
    """A header of any file with the checksum of what it now says."""
    header = bytearray(header)
    struct.pack_into("<Q", header, 8, checksum(bytes(header[16:])))
    return bytes(header)


@dataclasses.dataclass
class Batch:  # pylint: disable=too-many-instance-attributes
    flags: int
    cluster: int
    shard: int
    block_index: int
    segment: int
    epoch: int
    term: int
    batch_seq: int
    first_lsn: int
    timestamp: int
    durable_seq: int
    prev_chain: int
    state_digest: int
    count: int
    body: bytes = b""
    version: int = 1

    @property
    def name(self):
        return segment_name(self.segment)

    @property
    def offset(self):
        return self.block_index * BLOCK

    @property
    def size(self):
        return blocks(HEADER.size + len(self.body)) * BLOCK

    @property
    def last_lsn(self):
        return self.first_lsn + self.count - 1

    @property
    def chain(self):
        """Its header_checksum."""
        return struct.unpack_from("<Q", self.pack(), 8)[0]

    def pack(self):
        header = HEADER.pack(
            b"KYRBATCH", 0, self.version, HEADER.size, self.flags, self.cluster, self.shard,
            self.block_index, self.segment, self.epoch, self.term, self.batch_seq, self.first_lsn,
            self.timestamp, self.durable_seq, self.prev_chain, self.state_digest,
            checksum(self.body), len(self.body), self.count, bytes(32))
        data = sealed(header) + self.body
        return data + bytes(-len(data) % BLOCK)

    def but(self, **changes):
        return dataclasses.replace(self, **changes)


def batch_at(data, offset):
    """The whole batch that lies there, or None."""
    if len(data) - offset < BLOCK or data[offset:offset + 8] != b"KYRBATCH":
        return None
    fields = HEADER.unpack_from(data, offset)
    body = bytes(data[offset + HEADER.size:offset + HEADER.size + fields[18]])
    batch = Batch(*fields[4:17], count=fields[19], body=body)
    return batch if batch.pack() == data[offset:offset + batch.size] else None


def read_what_is_readable(fd, size, offset):
    """Zeroes for blocks that the disk cannot read; less at the end of the file."""
    data = b""
    while len(data) < size:
        at = offset + len(data)
        try:
            piece = os.pread(fd, size - len(data), at)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            piece = bytes(min(BLOCK - at % BLOCK, size - len(data)))
        if not piece:
            break
        data = data + piece if data else piece
    return data


def pieces(fd):
    """(offset, bytes) of what is not zero; holes are not read."""
    size = os.fstat(fd).st_size
    at = 0
    while at < size:
        try:
            at = os.lseek(fd, at, os.SEEK_DATA) // BLOCK * BLOCK
        except OSError as error:
            assert error.errno == errno.ENXIO
            return
        piece = read_what_is_readable(fd, len(PIECE), at)
        if piece != PIECE[:len(piece)]:
            yield at, piece
        at += len(piece)


class Files:
    """One directory."""

    def __init__(self, path):
        self.path = path

    def names(self, prefix=""):
        return sorted(name for name in os.listdir(self.path) if name.startswith(prefix))

    def at(self, name):
        return os.path.join(self.path, name)

    def read(self, name, offset=0, size=None):
        with open(self.at(name), "rb") as file:
            left = self.size(name) - offset
            return read_what_is_readable(
                file.fileno(), left if size is None else min(size, left), offset)

    def patch(self, name, offset, data):
        with open(self.at(name), "r+b") as file:
            file.seek(offset)
            file.write(data)

    def flip(self, name, offset, bit=1):
        self.patch(name, offset, bytes([self.read(name, offset, 1)[0] ^ bit]))

    def make(self, name, data):
        with open(self.at(name), "xb") as file:
            file.write(data)

    def remove(self, name):
        os.unlink(self.at(name))

    def size(self, name):
        return os.path.getsize(self.at(name))

    def resize(self, name, size):
        os.truncate(self.at(name), size)

    def fingerprint(self):
        """What must stay when nothing may be written: names, sizes, bytes and times."""
        found = {}
        for name in self.names():
            if name != "LOCK":
                total = xxhash.xxh3_64()
                with open(self.at(name), "rb") as file:
                    for offset, piece in pieces(file.fileno()):
                        total.update(struct.pack("<Q", offset) + piece)
                found[name] = (os.stat(self.at(name)).st_mtime_ns, self.size(name),
                               total.intdigest())
        return found

    def copy_to(self, path):
        """Zeroes become holes, so that a directory of many segments is copied and read quickly."""
        os.mkdir(path)
        for name in self.names():
            with open(self.at(name), "rb") as source, open(os.path.join(path, name), "xb") as out:
                out.truncate(self.size(name))
                for offset, piece in pieces(source.fileno()):
                    os.pwrite(out.fileno(), piece, offset)
        return Files(path)

    # ---- the log ----

    def segments(self):
        return [int(name[4:]) for name in self.names("log-") if name[4:].isdigit()]

    def snapshots(self):
        """Names, the newest first."""
        return [name for name in self.names("snap-") if name[5:].isdigit()][::-1]

    def batches(self):
        """Whole batches one behind the other, as far as they go in each segment."""
        found = []
        for number in self.segments():
            data = self.read(segment_name(number))
            offset = 0
            while (batch := batch_at(data, offset)) is not None:
                found.append(batch)
                offset += batch.size
        return found

    def put(self, batch):
        self.patch(batch.name, batch.offset, batch.pack())

    def zero(self, batch):
        self.patch(batch.name, batch.offset, bytes(batch.size))

    def next(self, **changes):
        """What the log's last batch would be followed by; nothing is written."""
        last = self.batches()[-1]
        model = next(batch for batch in self.batches()[::-1] if batch.count > 0)
        follower = model.but(
            segment=last.segment, block_index=last.block_index + last.size // BLOCK,
            epoch=last.epoch, term=last.term, timestamp=last.timestamp,
            batch_seq=last.batch_seq + 1, first_lsn=last.first_lsn + last.count,
            durable_seq=last.batch_seq, prev_chain=last.chain)
        return follower.but(**changes)

    def replace(self, batch):
        """The log as if this batch had been written instead of the one with its number: what
        follows, and MARK, name it as their forerunner."""
        mark = self.mark()
        chain = None
        for old in self.batches():
            if old.batch_seq < batch.batch_seq:
                continue
            new = batch if chain is None else old.but(prev_chain=chain)
            assert new.size == old.size
            self.put(new)
            chain = new.chain
            if mark["durable_seq"] == new.batch_seq:
                mark["chain"] = chain
        self.put_mark(mark)

    # ---- the small files ----

    def mark(self):
        found = []
        for index in range(2):
            block = self.read("MARK", index * BLOCK, BLOCK)
            fields = MARK.unpack_from(block)
            if fields[0] == b"KYRGMARK" and sealed(block[:MARK.size]) == block[:MARK.size]:
                found.append(dict(zip(MARK_FIELDS, fields[4:15])))
        return max(found, key=lambda mark: mark["generation"])

    def put_mark(self, mark):
        values = [mark[field] for field in MARK_FIELDS]
        block = sealed(MARK.pack(b"KYRGMARK", 0, 1, MARK.size, *values, bytes(16)))
        self.patch("MARK", (mark["generation"] & 1) * BLOCK, block)

    def mark_offset(self):
        return (self.mark()["generation"] & 1) * BLOCK

    def bump_version(self, name, offset=0):
        """As a later program might have written it: whole, of the next version."""
        header = bytearray(self.read(name, offset, BLOCK))
        version, size = struct.unpack_from("<HH", header, 16)
        struct.pack_into("<H", header, 16, version + 1)
        self.patch(name, offset, sealed(header[:size]))
        return version + 1
