#!/usr/bin/python3
"""A reader written from engine/log/FORMAT.md alone.  usage: read_dir.py WRITE_DIR

Reads a directory that WRITE_DIR makes, field by field; then changes bytes and must object.
"""
import os
import struct
import subprocess
import sys
import tempfile

import xxhash

BLOCK = 4096


class Bad(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Bad(what)


def checksum(data):
    return xxhash.xxh3_64_intdigest(data)


def head(data, magic):
    found, total, version, size = struct.unpack_from("<8sQHH", data)
    need(found == magic, f"magic of {magic}")
    need(24 <= size <= BLOCK, "header_size")
    need(checksum(data[16:size]) == total, f"header checksum of {magic}")
    need(version == 1, "version")
    return total, size


def zero(data, what):
    need(not any(data), what)


def read_shard(data):
    _, size = head(data, b"KYRSHARD")
    need(size == 72 and len(data) == BLOCK, "size of SHARD")
    zero(data[56:], "padding of SHARD")
    names = ("shard", "cluster", "shard_count", "slot_first", "slot_count", "segment_blocks", "created")
    return dict(zip(names, struct.unpack_from("<IQIIIIQ", data, 20)))


def read_mark(data, shard):
    best = None
    for turn in range(2):
        block = data[turn * BLOCK:(turn + 1) * BLOCK]
        if not any(block):
            continue
        _, size = head(block, b"KYRGMARK")
        need(size == 120, "size of MARK")
        zero(block[104:], "padding of MARK")
        names = ("shard", "cluster", "generation", "epoch", "term", "durable_seq", "durable_lsn",
                 "chain", "segment", "end_block", "time")
        mark = dict(zip(names, struct.unpack_from("<IQQQQQQQQQQ", block, 20)))
        need(mark["generation"] & 1 == turn, "turn of MARK")
        need((mark["shard"], mark["cluster"]) == (shard["shard"], shard["cluster"]), "MARK's owner")
        if best is None or mark["generation"] > best["generation"]:
            best = mark
    return best


def read_batch(data, offset, number, shard):
    total, size = head(data[offset:offset + BLOCK], b"KYRBATCH")
    need(size == 160, "size of a batch's header")
    names = ("flags", "cluster", "shard", "block_index", "segment", "epoch", "term", "batch_seq",
             "first_lsn", "timestamp", "durable_seq", "prev_chain", "state_digest",
             "body_checksum", "body_size", "count")
    batch = dict(zip(names, struct.unpack_from("<IQIIQQQQQQQQQQII", data, offset + 20)))
    zero(data[offset + 128:offset + 160], "reserved of a batch")
    need((batch["cluster"], batch["shard"]) == (shard["cluster"], shard["shard"]), "batch's owner")
    need((batch["segment"], batch["block_index"]) == (number, offset // BLOCK), "batch's place")
    body = data[offset + 160:offset + 160 + batch["body_size"]]
    need(checksum(body) == batch["body_checksum"], "body checksum")
    end = offset + -(-(160 + batch["body_size"]) // BLOCK) * BLOCK
    zero(data[offset + 160 + batch["body_size"]:end], "padding of a batch")
    need((batch["count"] == 0) == (batch["body_size"] == 0), "count and body")
    need((batch["flags"] & 3 != 0) == (batch["count"] == 0), "flags and count")
    batch.update(chain=total, body=body, end=end)
    return batch


def read_log(folder, shard):
    names = sorted(n for n in os.listdir(folder) if n.startswith("log-") and n.count(".") == 0)
    expected = {"batch_seq": 1, "first_lsn": 1, "prev_chain": 0}
    batches = []
    for number, name in enumerate(names, 1):
        need(int(name[4:]) == number, "segment numbers")
        data = open(os.path.join(folder, name), "rb").read()
        need(len(data) == shard["segment_blocks"] * BLOCK, "size of a segment")
        offset = 0
        while offset < len(data) and any(data[offset:offset + BLOCK]):
            batch = read_batch(data, offset, number, shard)
            for field, value in expected.items():
                need(batch[field] == value, f"{field} continues")
            expected = {"batch_seq": batch["batch_seq"] + 1, "prev_chain": batch["chain"],
                        "first_lsn": batch["first_lsn"] + batch["count"]}
            need(batch["durable_seq"] < batch["batch_seq"], "durable_seq")
            batches.append(batch)
            offset = batch["end"]
        zero(data[offset:], "rest of a segment")
    return batches


def read_snapshot(data, name, shard):
    chain, size = head(data, b"KYRGSNAP")
    need(size == 128, "size of a snapshot's header")
    names = ("shard", "cluster", "shard_count", "slot_first", "slot_count", "reserved", "epoch",
             "begin_lsn", "time")
    header = dict(zip(names, struct.unpack_from("<IQIIIIQQQ", data, 20)))
    need(header["begin_lsn"] == int(name[5:]), "name of a snapshot")
    need((header["cluster"], header["shard"]) == (shard["cluster"], shard["shard"]), "owner")
    offset, count, digest, end_lsn = 128, 0, 0, header["begin_lsn"]
    while data[offset:offset + 8] == b"KYRGCHNK":
        total, = struct.unpack_from("<Q", data, offset + 8)
        need(checksum(data[offset + 16:offset + 80]) == total, "chunk's header checksum")
        index, size, _kind, _part, _slot, _hotel, lsn, own, body_sum = struct.unpack_from(
            "<IIHHIQQQQ", data, offset + 16)
        need(index == count, "chunk's index")
        zero(data[offset + 64:offset + 80], "reserved of a chunk")
        body = data[offset + 80:offset + 80 + size]
        need(checksum(body) == body_sum, "chunk's body checksum")
        following = offset + -(-(80 + size) // 8) * 8
        zero(data[offset + 80 + size:following], "filling of a chunk")
        chain = checksum(struct.pack("<QQ", chain, total))
        count, digest, end_lsn = count + 1, (digest + own) % 2**64, max(end_lsn, lsn)
        offset = following
    need(data[offset:offset + 8] == b"KYRGSEND", "footer")
    total, = struct.unpack_from("<Q", data, offset + 8)
    need(checksum(data[offset + 16:offset + 152]) == total, "footer's checksum")
    found = struct.unpack_from("<QQQQQQ", data, offset + 16)
    need(found == (count, header["begin_lsn"], end_lsn, digest, chain, offset + 152), "footer")
    zero(data[offset + 136:], "behind the footer")
    need(len(data) == -(-(offset + 152) // BLOCK) * BLOCK, "size of a snapshot")
    return count


def read_all(folder):
    shard = read_shard(open(os.path.join(folder, "SHARD"), "rb").read())
    mark = read_mark(open(os.path.join(folder, "MARK"), "rb").read(), shard)
    batches = read_log(folder, shard)
    newest = batches[-1]
    need(mark["durable_seq"] == newest["batch_seq"], "MARK after a clean stop")
    need(mark["chain"] == newest["chain"], "MARK's chain")
    need(mark["end_block"] * BLOCK == newest["end"], "MARK's end")
    chunks = 0
    for name in sorted(n for n in os.listdir(folder) if n.startswith("snap-")):
        chunks += read_snapshot(open(os.path.join(folder, name), "rb").read(), name, shard)
    return batches, chunks


def main(program):
    with tempfile.TemporaryDirectory() as folder:
        acked = int(subprocess.run([program, folder], check=True, capture_output=True).stdout)
        batches, chunks = read_all(folder)
        effects = sum(b["count"] for b in batches)
        assert (effects, chunks) == (acked, 20), (effects, chunks)
        assert batches[0]["flags"] == 2 and batches[-1]["flags"] == 1 | 4
        assert batches[-1]["state_digest"] == 4711
        lsns = [struct.unpack_from("<Q", b["body"], at)[0] for b in batches
                for at in range(0, b["body_size"], 16)]
        assert lsns == list(range(1, acked + 1))
        objections = 0
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            whole = open(path, "rb").read()
            for at in range(3, len(whole), max(1, len(whole) // 40)):
                changed = bytearray(whole)
                changed[at] ^= 4
                open(path, "wb").write(changed)
                try:
                    read_all(folder)
                    raise AssertionError(f"{name} byte {at}: nobody objects")
                except Bad:
                    objections += 1
            open(path, "wb").write(whole)
        assert objections > 200, objections
        print(f"{len(batches)} batches, {effects} effects, {chunks} chunks, "
              f"{objections} changes found out")


main(sys.argv[1])
