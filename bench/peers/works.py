"""What is measured: one row for each work. All are stays of three nights and reads of fourteen."""
import dataclasses

ROOMS = 1100  # what may be sold of 1,000 rooms with 10 % overbooking
HOT_ROOMS = 31900  # of 29,000
SOLD_OUT = 1
# No run is sized for more bookings a second than these; a table that fills would end it.
RATE_MAX = 1_100_000


@dataclasses.dataclass(frozen=True)
class Work:
    name: str
    title: str
    session: str  # those of one session may follow each other on one directory
    connections: int = 64
    depth: int = 16
    books: int = 0
    reads: int = 0
    rate: int = 0  # open loop
    hot: bool = False
    hot_rooms: int = ROOMS
    snapshot: bool = False  # one in the middle, also where --no-snapshots is given
    rate_max: int = RATE_MAX  # bookings a second that tables are sized for
    quick: bool = True
    relaxed: bool = False  # also of the systems that answer before it is on disk
    limit: str = ""  # the machine's, of the same shape: see limits.py
    length: float = 1  # of a usual run

    def reservations(self, seconds):
        """Bookings that may come of it, at most."""
        if not self.books:
            return 0
        most = min(self.rate_max, self.rate * 1.1 if self.rate else self.rate_max)
        return int(most * seconds * self.length * (2 if self.hot else 1))  # one shard has it all


def _read(connections, depth):
    return Work(f"read-{connections}x{depth}", f"reads, {connections} x {depth}", "read",
                connections, depth, reads=1, limit=f"read-{connections}x{depth}")


def _book(connections, depth, rate_max, relaxed=False):
    return Work(f"book-{connections}x{depth}", f"BOOKs, {connections} x {depth}",
                f"book-{connections}x{depth}", connections, depth, books=1, rate_max=rate_max,
                relaxed=relaxed, limit=f"book-{connections}x{depth}")


def _open(rate, quick):
    return Work(f"open-{rate}", f"open loop, {rate:,} BOOKs/s", f"open-{rate}", books=1, rate=rate,
                quick=quick)


ALL = [
    _read(64, 1),
    _read(64, 16),
    _read(16, 128),
    Work("mixed-100", "100 reads to a BOOK, 64 x 16", "read", books=1, reads=100,
         rate_max=30_000, limit="read-64x16"),
    Work("mixed-20", "20 reads to a BOOK, 64 x 16", "read", books=1, reads=20, rate_max=120_000,
         limit="read-64x16"),
    _book(1, 1, 20_000),
    _book(64, 1, 300_000),
    _book(64, 16, RATE_MAX, relaxed=True),
    _book(64, 128, RATE_MAX, relaxed=True),
    Work("hot-done", "hot hotel, all succeed, 64 x 16", "hot-done", books=1, hot=True,
         hot_rooms=HOT_ROOMS, limit="book-64x16"),
    Work("hot-refused", "hot hotel, sold out, 64 x 16", "hot-refused", books=1, hot=True,
         hot_rooms=SOLD_OUT, rate_max=1000, limit="book-64x16"),
    _open(1_000, False),
    _open(5_000, True),
    _open(20_000, True),
    _open(50_000, False),
    _open(100_000, True),
    _open(200_000, False),
    Work("snapshot", "open loop, 20,000 BOOKs/s, a snapshot in the middle", "snapshot", books=1,
         rate=20_000, snapshot=True, length=2),
]
BY_NAME = {work.name: work for work in ALL}
SLOW_RATE = 4_000  # of `snapshot`, for a system that does not reach its rate


def sessions(works, shared):
    """Lists of works that run on one directory. Shared: all that sell the same way."""
    groups = {}
    for work in works:
        key = work.session
        if shared and not work.hot and not work.snapshot:
            key = "shared"
        groups.setdefault(key, []).append(work)
    return list(groups.values())
